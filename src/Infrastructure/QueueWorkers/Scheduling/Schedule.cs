using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>Recurring work as it stands in the database: when it is due next, and what became of it last.</summary>
public sealed class Schedule
{
    /// <summary>Its name, such as <c>low-stock-report</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>The kind of a schedule that an operator has created; null for one of the code.</summary>
    public string? Kind { get; init; }

    /// <summary>The values of the kind's fields, JSON; null for a schedule of the code.</summary>
    public string? Payload { get; init; }

    /// <summary>Why the deployed version cannot fire it; null when it can.</summary>
    public string? UnusableBecause { get; init; }

    /// <summary>Another one after each change: two who change a schedule at a time do not undo each other.</summary>
    public Guid Revision { get; init; }

    /// <summary>When it is due: five fields, or six with seconds first.</summary>
    public string Cron { get; init; } = "";

    /// <summary>The time zone that the cron text is meant in, an IANA name such as <c>Europe/Berlin</c>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What becomes of missed firings.</summary>
    public Misfire Misfire { get; init; }

    /// <summary>
    /// True when an operator has changed cron, zone or policy: the next deployment leaves them as they are.
    /// </summary>
    public bool Customised { get; init; }

    /// <summary>False once the schedule has left the code: it stays for its history and never fires.</summary>
    public bool Active { get; init; } = true;

    /// <summary>True while an operator has stopped it.</summary>
    public bool Paused { get; init; }

    /// <summary>When it fires next; null when its cron text names no further moment.</summary>
    public DateTimeOffset? NextDueAt { get; init; }

    /// <summary>The firing that ended last; null before the first.</summary>
    public DateTimeOffset? LastDueAt { get; init; }

    /// <summary>When that firing ended.</summary>
    public DateTimeOffset? LastFinishedAt { get; init; }

    /// <summary>How it ended.</summary>
    public FiringStatus? LastStatus { get; init; }

    /// <summary>What it said, at most 2,000 characters.</summary>
    public string? LastResult { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan? LastDuration { get; init; }

    /// <summary>Firings left out by the misfire policy so far.</summary>
    public long Misfires { get; init; }
}
