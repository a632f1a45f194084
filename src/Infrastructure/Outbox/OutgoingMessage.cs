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
    public static OutboxMessage Create<T>(
        T message, Guid correlationId, Guid conversationId = default, Guid? initiatorId = null, Activity? activity = null, DateTimeOffset? dueAt = null,
        bool mandatory = true)
        where T : class
    {
        var id = Guid.CreateVersion7();
        return new OutboxMessage
        {
            Id = id,
            MessageId = id,
            CorrelationId = correlationId.ToString(),
            Exchange = MessageName.ExchangeOf(typeof(T)),
            Headers = activity?.Id is { } trace ? TraceHeaders(trace) : "{}",
            Body = Envelope.Write(message, id, correlationId, conversationId == default ? id : conversationId, initiatorId, DateTimeOffset.UtcNow),
            Mandatory = mandatory,
            DueAt = dueAt,
        };
    }

    private static string TraceHeaders(string trace) => $$"""{"{{TraceHeader}}":"{{JsonEncodedText.Encode(trace)}}"}""";
}
