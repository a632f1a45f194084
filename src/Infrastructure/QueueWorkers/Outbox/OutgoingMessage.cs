using System.Diagnostics;
using System.Text;
using System.Text.Json;
using QueueWorkers.Clocks;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Outbox;

/// <summary>Makes outbox rows of messages without going through a bus: the way of the two hot paths.</summary>
public static class OutgoingMessage
{
    /// <summary>The header by which MassTransit continues a trace (a W3C trace parent).</summary>
    public const string TraceHeader = TraceHeaders.Parent;

    /// <summary>Makes a row.</summary>
    /// <param name="message">The message.</param>
    /// <param name="correlationId">What it is about.</param>
    /// <param name="conversationId">The chain it belongs to; a new one when empty.</param>
    /// <param name="initiatorId">The message that caused it.</param>
    /// <param name="activity">The trace to continue; null when nobody listens.</param>
    /// <param name="dueAt">When it may leave; null for at once.</param>
    /// <param name="mandatory">False for an integration event that nobody has to listen to; all others are kept as
    /// unrouted when no queue takes them, never dropped.</param>
    /// <param name="priority">1 (lowest) to 9 (highest); null is the broker's normal, 4.</param>
    /// <param name="expiresAt">Until when it has to be begun; null for ever.</param>
    /// <param name="id">The message's id, see <see cref="IdOf{T}"/>; null for a fresh one.</param>
    /// <param name="queue">A step to send it to, and to nobody else; null publishes it to whoever consumes its
    /// type.</param>
    /// <param name="keys">The value of a key by its name, see <see cref="MessageKeys"/>; asked only for what the
    /// contract declares. Null, or an answer of null, for a message without.</param>
    public static OutboxMessage Create<T>(
        T message,
        Guid correlationId,
        Guid conversationId = default,
        Guid? initiatorId = null,
        Activity? activity = null,
        DateTimeOffset? dueAt = null,
        bool mandatory = true,
        short? priority = null,
        DateTimeOffset? expiresAt = null,
        string? queue = null,
        Guid? id = null,
        Func<string, string?>? keys = null
    )
        where T : class
    {
        var row = DatabaseClock.NewId();
        var messageId = id ?? row;
        var exchange = queue ?? MessageName.ExchangeOf(typeof(T));
        var trace = activity is null
            ? null
            : MessageSpans.Create(activity, exchange, messageId, correlationId.ToString());
        // Its waiting time counts from when it could be begun.
        var sentAt = dueAt ?? DatabaseClock.UtcNow;
        return new OutboxMessage
        {
            Id = row,
            MessageId = messageId,
            CorrelationId = correlationId.ToString(),
            Exchange = exchange,
            Headers = HeadersOf(
                trace,
                activity?.TraceStateString,
                keys is null ? [] : MessageKeys.DeclaredBy(typeof(T)),
                keys
            ),
            Body = Envelope.Write(
                message,
                messageId,
                correlationId,
                conversationId == default ? messageId : conversationId,
                initiatorId,
                sentAt,
                expiresAt
            ),
            Priority = priority,
            Mandatory = mandatory,
            DueAt = dueAt,
            ExpiresAt = expiresAt,
        };
    }

    /// <summary>
    /// The id of a message that follows from another one, or from what it is about: whoever makes it again, long after,
    /// makes a copy and not a second message.
    /// </summary>
    /// <param name="origin">The message that led to it, or the subject at the beginning of a chain.</param>
    /// <param name="step">The step that publishes it; null at the beginning.</param>
    /// <param name="number">1, or more for further messages of the type from one run.</param>
    public static Guid IdOf<T>(Guid origin, string? step = null, int number = 1)
        where T : class
    {
        var name = MessageName.ExchangeOf(typeof(T));
        if (step is not null)
            name = number == 1 ? $"{step} {name}" : $"{step} {name} {number}";
        return DerivedId.Of(origin, name);
    }

    private static string HeadersOf(
        string? trace,
        string? state,
        IReadOnlyList<string> declared,
        Func<string, string?>? keys
    )
    {
        if (trace is null && declared.Count == 0)
            return "{}";
        var headers = new StringBuilder("{");
        if (trace is not null)
            Append(headers, TraceHeader, trace);
        if (trace is not null && !string.IsNullOrEmpty(state))
            Append(headers, TraceHeaders.State, state);
        foreach (var key in declared)
        {
            if (keys!(key) is { } value)
                Append(headers, MessageKeys.HeaderOf(key), value);
        }

        return headers.Append('}').ToString();
    }

    private static void Append(StringBuilder headers, string name, string value) =>
        headers
            .Append(headers.Length == 1 ? "\"" : ",\"")
            .Append(name)
            .Append("\":\"")
            .Append(JsonEncodedText.Encode(value))
            .Append('"');
}
