using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>
/// One firing of a schedule. The key (schedule, moment it was due) is what makes it fire once over all replicas.
/// </summary>
public sealed class ScheduleRun
{
    /// <summary>The schedule.</summary>
    public string Schedule { get; init; } = "";

    /// <summary>When it was due; for a run by hand the moment somebody asked.</summary>
    public DateTimeOffset DueAt { get; init; }

    /// <summary>Where it stands.</summary>
    public FiringStatus Status { get; init; }

    /// <summary>Who asked for it; null for a firing by the clock.</summary>
    public string? RequestedBy { get; init; }

    /// <summary>Begun so often; more than once when a process died at it.</summary>
    public int Attempts { get; init; }

    /// <summary>The process that runs or ran it.</summary>
    public string? Host { get; init; }

    /// <summary>While running: until when nobody else may begin it. The process at it moves it on.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>When it was begun last.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>What it said, at most 2,000 characters.</summary>
    public string? Result { get; init; }
}
