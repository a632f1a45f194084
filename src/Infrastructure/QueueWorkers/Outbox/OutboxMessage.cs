using QueueWorkers.Clocks;

namespace QueueWorkers.Outbox;

/// <summary>
/// A message that was, or is about to be, committed with the data it belongs to, in the very form in which it goes to
/// the broker.
/// The body is the final envelope: the relay publishes bytes and knows no serializer.
/// </summary>
public sealed class OutboxMessage
{
    /// <summary>The row's key, a version 7 UUID (new rows land at the end of the index).</summary>
    public Guid Id { get; init; } = DatabaseClock.NewId();

    /// <summary>The message's id: the idempotency key of every step that consumes it.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The exchange; empty for the default exchange.</summary>
    public string Exchange { get; init; } = "";

    /// <summary>The routing key; empty for fan-out exchanges.</summary>
    public string RoutingKey { get; init; } = "";

    /// <summary>The correlation id; null when the message has none.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>The body's media type.</summary>
    public string ContentType { get; init; } = Envelope.ContentType;

    /// <summary>Transport headers as one JSON object; the trace context rides along in here.</summary>
    public string Headers { get; init; } = "{}";

    /// <summary>The serialized envelope.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>1 (lowest) to 9 (highest); null is the broker's normal, 4.</summary>
    public short? Priority { get; init; }

    /// <summary>
    /// True when the message must reach a queue: an unroutable one is a fault of the topology, not a success.
    /// </summary>
    public bool Mandatory { get; init; } = true;

    /// <summary>
    /// When the message may leave. Null means at once: the database then writes now plus the lease, so that the process
    /// which wrote the row sends it from memory, and any other relay takes it over if that process dies first.
    /// </summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>When the message loses its worth; null means never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Failed tries to send it.</summary>
    public short Attempts { get; init; }

    /// <summary>Why the last try failed.</summary>
    public string? LastError { get; init; }

    /// <summary>
    /// When it was quarantined: nobody tries again until an operator says so. Null while it is alive.
    /// </summary>
    public DateTimeOffset? DeadAt { get; init; }
}
