namespace QueueWorkers.Monitoring;

/// <summary>The outbox seen as a queue.</summary>
/// <param name="Late">Messages that should have left: due, and nobody has sent them. Counted up to
/// <see cref="OutboxReader.MostCounted"/>.</param>
/// <param name="OldestDue">When the oldest of them was due; null when none is late.</param>
/// <param name="Delayed">Messages that are to leave later: redeliveries, delays. Counted likewise.</param>
/// <param name="NextDue">When the next of them leaves.</param>
/// <param name="Quarantined">Messages that could not be sent and wait for an operator. Counted likewise.</param>
public sealed record OutboxFigures(
    long Late,
    DateTimeOffset? OldestDue,
    long Delayed,
    DateTimeOffset? NextDue,
    long Quarantined
);

/// <summary>A message in the outbox, without its body.</summary>
/// <param name="Id">The row.</param>
/// <param name="MessageId">The message.</param>
/// <param name="Exchange">Where it goes.</param>
/// <param name="SubjectId">What it is about; null when it says nothing.</param>
/// <param name="DueAt">When it may leave.</param>
/// <param name="Attempts">Failed tries to send it.</param>
/// <param name="LastError">Why the last one failed.</param>
/// <param name="DeadAt">When it was quarantined.</param>
public sealed record OutboxEntry(
    Guid Id,
    Guid MessageId,
    string Exchange,
    string? SubjectId,
    DateTimeOffset DueAt,
    int Attempts,
    string? LastError,
    DateTimeOffset? DeadAt
);

/// <summary>Which part of the outbox.</summary>
public enum OutboxPart
{
    /// <summary>Due and not sent.</summary>
    Late,

    /// <summary>To be sent later.</summary>
    Delayed,

    /// <summary>Given up.</summary>
    Quarantine,
}
