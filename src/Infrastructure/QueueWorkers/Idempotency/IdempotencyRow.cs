namespace QueueWorkers.Idempotency;

/// <summary>
/// Says that a step has committed its work for a message. Written in the step's own transaction; purged after the
/// retention time.
/// </summary>
public sealed class IdempotencyRow
{
    /// <summary>The original message id: redelivery gives a message a new id and keeps the original one.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>When it was committed.</summary>
    public DateTimeOffset At { get; init; }
}
