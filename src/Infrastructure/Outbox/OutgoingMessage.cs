using System.Diagnostics;
using System.Text.Json;

namespace Orders.Infrastructure.Outbox;

/// <summary>Makes outbox rows of messages without going through a bus: the way of the two hot paths.</summary>
public static class OutgoingMessage
{
    /// <summary>The header by which MassTransit continues a trace (a W3C trace parent).</summary>
    public const string TraceHeader = "MT-Activity-Id";

    /// <summary>Makes a row.</summary>
    /// <param name="message">The message.</param>
    /// <param name="correlationId">What it is about.</param>
    /// <param name="conversationId">The chain it belongs to; a new one when empty.</param>
    /// <param name="initiatorId">The message that caused it.</param>
    /// <param name="activity">The trace to continue; null when nobody listens.</param>
    /// <param name="dueAt">When it may leave; null for at once.</param>
    /// <param name="mandatory">False for an announcement that nobody has to listen to; all others are kept as unrouted when no queue takes them, never dropped.</param>
    /// <param name="priority">1 (lowest) to 9 (highest); null is the broker's normal, 4.</param>
    /// <param name="expiresAt">Until when it has to be begun; null for ever.</param>
    /// <param name="queue">A step to send it to, and to nobody else; null publishes it to whoever consumes its type.</param>
    public static OutboxMessage Create<T>(
        T message, Guid correlationId, Guid conversationId = default, Guid? initiatorId = null, Activity? activity = null, DateTimeOffset? dueAt = null,
        bool mandatory = true, short? priority = null, DateTimeOffset? expiresAt = null, string? queue = null)
        where T : class
    {
        var id = Guid.CreateVersion7();
        // Its waiting time counts from when it could be begun.
        var sentAt = dueAt ?? DateTimeOffset.UtcNow;
        return new OutboxMessage
        {
            Id = id,
            MessageId = id,
            CorrelationId = correlationId.ToString(),
            Exchange = queue ?? MessageName.ExchangeOf(typeof(T)),
            Headers = activity?.Id is { } trace ? TraceHeaders(trace) : "{}",
            Body = Envelope.Write(message, id, correlationId, conversationId == default ? id : conversationId, initiatorId, sentAt, expiresAt),
            Priority = priority,
            Mandatory = mandatory,
            DueAt = dueAt,
            ExpiresAt = expiresAt,
        };
    }

    private static string TraceHeaders(string trace) => $$"""{"{{TraceHeader}}":"{{JsonEncodedText.Encode(trace)}}"}""";
}
