namespace QueueWorkers.Idempotency;

/// <summary>
/// Evidence of one duplicate that was suppressed. The proof that the effect ran once is the row of <see cref="Effect"/>
/// it names.
/// </summary>
public sealed class Duplicate
{
    /// <summary>Running number.</summary>
    public long Id { get; init; }

    /// <summary>When it was dropped.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What it was about.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The step that dropped it; for a repeated post the door.</summary>
    public string Step { get; init; } = "";

    /// <summary>The effect it would have had a second time.</summary>
    public string Effect { get; init; } = "";

    /// <summary>The message; null for a repeated post.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>Why it came.</summary>
    public DuplicateCause Cause { get; init; }
}

/// <summary>
/// How many duplicates of a kind a minute brought. Counts all of them, also those of which no evidence was kept.
/// </summary>
public sealed class DuplicateCount
{
    /// <summary>The minute, by its beginning.</summary>
    public DateTimeOffset Minute { get; init; }

    /// <summary>The step that dropped them.</summary>
    public string Step { get; init; } = "";

    /// <summary>Why they came.</summary>
    public DuplicateCause Cause { get; init; }

    /// <summary>How many.</summary>
    public long Count { get; init; }
}
