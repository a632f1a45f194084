using QueueWorkers.DeadLetters;

namespace QueueWorkers.Redrive;

/// <summary>A redrive: which messages are sent again, how fast, by whom and why.</summary>
public sealed record RedriveRecord
{
    /// <summary>Its id.</summary>
    public Guid Id { get; init; }

    /// <summary>How far it is.</summary>
    public RedriveStage Stage { get; init; }

    /// <summary>Who asked for it.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>When.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Why.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Which messages, as the JSON text of the filter that chose them.</summary>
    public string Filter { get; init; } = "{}";

    /// <summary>The patch (RFC 6902) that is applied to each; null when they are sent as they are.</summary>
    public string? Patch { get; init; }

    /// <summary>How many are sent first.</summary>
    public int Canary { get; init; }

    /// <summary>How many a second are sent after that.</summary>
    public int RatePerSecond { get; init; }

    /// <summary>At which share of messages that failed again it stops by itself, in per cent.</summary>
    public int StopPercent { get; init; }

    /// <summary>How many messages.</summary>
    public int Total { get; init; }

    /// <summary>When it was stopped; null while it may go on.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>Why it was stopped.</summary>
    public string? StoppedBecause { get; init; }

    /// <summary>
    /// When it was last let go on after a stop; null when it never was. What failed before does not count against it
    /// any more.
    /// </summary>
    public DateTimeOffset? ResumedAt { get; init; }

    /// <summary>When messages were last sent.</summary>
    public DateTimeOffset? MovedAt { get; init; }

    /// <summary>When it was done.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>One message of a redrive.</summary>
public sealed class RedriveItem
{
    /// <summary>The redrive.</summary>
    public Guid RedriveId { get; init; }

    /// <summary>The failure.</summary>
    public Guid FailureId { get; init; }

    /// <summary>What came of it.</summary>
    public RedriveItemState State { get; init; }

    /// <summary>The number stamped into the message that was sent.</summary>
    public int? Generation { get; init; }

    /// <summary>When it was sent.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>When it was known what came of it.</summary>
    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>
    /// A payload to send in place of the original; null when the original, or the patched original, is sent.
    /// </summary>
    public string? Payload { get; init; }

    /// <summary>Why it was skipped, or how it failed.</summary>
    public string? Note { get; init; }
}
