using QueueWorkers.DeadLetters.Recording;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// A dead-lettered message, in the index. It carries everything that is needed to send it again, so that nothing
/// depends on the broker's copy; that copy stays in its queue for people to see.
/// </summary>
public sealed class Failure
{
    /// <summary>
    /// The failure's id, a version 7 UUID of the moment at which it was dead-lettered: in the order of time.
    /// </summary>
    public Guid Id { get; init; }

    /// <summary>Where it stands.</summary>
    public FailureState State { get; init; }

    /// <summary>How it came to be dead-lettered.</summary>
    public FailureKind Kind { get; init; }

    /// <summary>The queue it stands in; <c>outbox</c> for a quarantined row.</summary>
    public string Queue { get; init; } = "";

    /// <summary>
    /// What tells a message from a copy of it: the original message id, or the row's id in the outbox.
    /// </summary>
    public Guid Identity { get; init; }

    /// <summary>
    /// How often the message had been redriven when it was dead-lettered here. A redrive stamps the next number into
    /// the message.
    /// </summary>
    public int Generation { get; init; }

    /// <summary>In how many copies it was found in the queue, of which one was left; 0 before the first look.</summary>
    public int Copies { get; init; }

    /// <summary>The original message id: the idempotency key of its steps.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The step; null when no step had it.</summary>
    public string? Step { get; init; }

    /// <summary>The message's type, such as <c>Shop.Contracts:ParcelSent</c>; null when it does not say.</summary>
    public string? MessageType { get; init; }

    /// <summary>What the message is about; null when it does not say.</summary>
    public Guid? SubjectId { get; init; }

    /// <summary>The exception's type, full name; a word of ours where there was none.</summary>
    public string FaultType { get; init; } = "";

    /// <summary>The exception's message.</summary>
    public string FaultMessage { get; init; } = "";

    /// <summary>Its frames, without paths and compiler's names; null when there was no exception.</summary>
    public string? Stack { get; init; }

    /// <summary>The same for failures of one cause: see <see cref="FaultFingerprint"/>.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>Attempts made on the message.</summary>
    public int Attempts { get; init; }

    /// <summary>When the message first failed for good, over all generations.</summary>
    public DateTimeOffset FirstAt { get; init; }

    /// <summary>When it was dead-lettered here, most lately.</summary>
    public DateTimeOffset LastAt { get; init; }

    /// <summary>The version of the program that gave it up.</summary>
    public string? Build { get; init; }

    /// <summary>The machine it ran on.</summary>
    public string? Host { get; init; }

    /// <summary>The message without its envelope; null when the body is no JSON.</summary>
    public string? Payload { get; init; }

    /// <summary>The body, byte for byte.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>The body's media type.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>Transport headers as one JSON object.</summary>
    public string Headers { get; init; } = "{}";

    /// <summary>The message's class, 1 to 9; null is normal.</summary>
    public short? Priority { get; init; }

    /// <summary>When the broker's copy was taken out of the queue; null while it is there.</summary>
    public DateTimeOffset? RemovedAt { get; init; }

    /// <summary>The latest redrive it was part of.</summary>
    public Guid? RedriveId { get; init; }

    /// <summary>When it left the state Dead-lettered for good.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Until when an archived one can be restored; afterwards retention may remove it.</summary>
    public DateTimeOffset? RestorableUntil { get; init; }

    /// <summary>A sentence on how it came to its state.</summary>
    public string? Note { get; init; }

    /// <summary>
    /// What an operator changed before sending it again: a list of replaced, added and removed members; null when
    /// nothing. The original stays in <see cref="Body"/>.
    /// </summary>
    public string? Edit { get; init; }
}
