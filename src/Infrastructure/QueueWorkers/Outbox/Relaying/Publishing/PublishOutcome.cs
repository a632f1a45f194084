namespace QueueWorkers.Outbox.Relaying.Publishing;

/// <summary>What became of one published message.</summary>
internal readonly record struct PublishOutcome(PublishStatus Status, string? Error)
{
    public static PublishOutcome Confirmed { get; } = new(PublishStatus.Confirmed, null);

    public static PublishOutcome Unsent { get; } = new(PublishStatus.Unsent, null);

    public static PublishOutcome Silent { get; } = new(PublishStatus.Silent, null);

    public static PublishOutcome Full(string error) => new(PublishStatus.Full, error);

    public static PublishOutcome Refused(string error) => new(PublishStatus.Refused, error);
}

internal enum PublishStatus
{
    /// <summary>The broker has it on disk: the row may go.</summary>
    Confirmed,

    /// <summary>The broker was away; the row stays as it is, and the message may or may not have arrived.</summary>
    Unsent,

    /// <summary>
    /// The broker is there and has not confirmed in time, perhaps because one queue of several does not: the row waits,
    /// and the other queues have the message by now.
    /// </summary>
    Silent,

    /// <summary>The broker said not now (a queue is full): the row waits, however long that lasts.</summary>
    Full,

    /// <summary>
    /// The broker will not have this message (no queue, no exchange, too large): the row waits longer each time and is
    /// quarantined in the end.
    /// </summary>
    Refused,
}
