namespace QueueWorkers.Idempotency;

/// <summary>Why something came that had been done before. Stored as its number.</summary>
public enum DuplicateCause : short
{
    /// <summary>
    /// The broker delivered the message again: a process died, or lost its connection, between commit and ack.
    /// </summary>
    Redelivery = 1,

    /// <summary>
    /// The message was published twice: a relay died between the broker's confirm and the deletion of the row, or the
    /// confirm was late.
    /// </summary>
    DoublePublish = 2,

    /// <summary>An operator sent a failed message again whose work had been done meanwhile.</summary>
    Redrive = 3,

    /// <summary>A client posted again with the same Idempotency-Key.</summary>
    RepeatedPost = 4,

    /// <summary>
    /// A copy that had waited in the outbox for its next attempt: its process died between putting it there and the
    /// ack.
    /// </summary>
    DelayedCopy = 5,

    /// <summary>
    /// Another message asked for an effect that was done: its idempotency row may be purged, the effect is not.
    /// </summary>
    OtherMessage = 6,
}
