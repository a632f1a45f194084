namespace Orders.Infrastructure.Controls;

/// <summary>A worker process as it reported itself; it counts as living while its report is younger than <see cref="LifeSign"/>.</summary>
public sealed class Worker
{
    /// <summary>How old the last report of a living process may be. It is written every <see cref="Interval"/>, so a few may be lost.</summary>
    public static readonly TimeSpan LifeSign = TimeSpan.FromSeconds(10);

    /// <summary>How often a process reports itself.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>How many of its runs a report names: the oldest, which are those that somebody asks about.</summary>
    public const int MostRuns = 20;

    /// <summary>The process; a new id at each start.</summary>
    public Guid Id { get; init; }

    /// <summary>The machine or container.</summary>
    public string Host { get; init; } = "";

    /// <summary>Its process id there.</summary>
    public int ProcessId { get; init; }

    /// <summary>The build.</summary>
    public string Version { get; init; } = "";

    /// <summary>The steps it runs.</summary>
    public string[] Steps { get; init; } = [];

    /// <summary>Runs under way at the last report.</summary>
    public int Running { get; init; }

    /// <summary>The oldest of them, at most <see cref="MostRuns"/>; those that wait for their commit are not among them.</summary>
    public IReadOnlyList<RunningAttempt> Runs { get; init; } = [];

    /// <summary>The most database connections it uses; 0 of one that does not say.</summary>
    public int MaxConnections { get; init; }

    /// <summary>When it started.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it last reported itself.</summary>
    public DateTimeOffset LastSeenAt { get; init; }

    /// <summary>When it stopped the graceful way; null while it lives, and for one that died.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>Since when an operator wants it to take nothing more; null while it may.</summary>
    public DateTimeOffset? DrainAskedAt { get; init; }

    /// <summary>When it reported for the first time that it takes nothing more and has nothing left; of an earlier drain when it lies before <see cref="DrainAskedAt"/>.</summary>
    public DateTimeOffset? DrainedAt { get; init; }

    /// <summary>Who asked for that last, or took it back.</summary>
    public string DrainBy { get; init; } = "";

    /// <summary>Why, in the operator's words.</summary>
    public string DrainReason { get; init; } = "";

    /// <summary>Whether it takes nothing more and has ended everything: by its own word, since it was asked.</summary>
    public bool IsDrained => DrainAskedAt is { } asked && DrainedAt >= asked;
}
