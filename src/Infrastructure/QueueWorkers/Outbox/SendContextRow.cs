using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MassTransit;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Outbox;

/// <summary>
/// Turns what MassTransit is about to send, or has received, into an outbox row. The only place that knows both.
/// </summary>
internal static class SendContextRow
{
    /// <summary>
    /// The header that carries the count of lost deliveries along with a deferred message. A redrive drops it: it
    /// begins from nothing.
    /// </summary>
    public const string LostDeliveriesHeader = "x-lost-deliveries";

    /// <summary>
    /// The header that says since when a message waits because the database refuses what it needs: milliseconds since
    /// 1970. A redrive removes it, as every header that begins like this.
    /// </summary>
    public const string RefusedSinceHeader = "MT-Database-Refused-Since";

    /// <summary>The row of a message that code published or sent through MassTransit's own interfaces.</summary>
    /// <param name="context">The fully populated transport context.</param>
    /// <param name="delay">Overrides the context's own delay.</param>
    /// <param name="priority">Overrides the context's own class.</param>
    /// <param name="isNew">Whether the message is created here; false for the next attempt on a received one, whose
    /// trace goes on.</param>
    public static OutboxMessage From<T>(
        SendContext<T> context,
        TimeSpan? delay = null,
        short? priority = null,
        bool isNew = true
    )
        where T : class
    {
        var transport = (RabbitMqSendContext)context;
        if (isNew && Activity.Current is { } current && context.MessageId is { } id)
        {
            var trace = MessageSpans.Create(current, transport.Exchange, id, context.CorrelationId?.ToString());
            context.Headers.Set(TraceHeaders.Parent, trace);
            if (!string.IsNullOrEmpty(current.TraceStateString))
                context.Headers.Set(TraceHeaders.State, current.TraceStateString);
        }

        delay ??= context.Delay;
        // The delay is the row's due time; inside the envelope it would ask for the delayed exchange.
        context.Delay = null;
        var now = DatabaseClock.UtcNow;
        return new OutboxMessage
        {
            MessageId =
                context.MessageId
                ?? throw new InvalidOperationException(
                    $"A {typeof(T).Name} without a message id cannot be stored; MassTransit assigns one unless it was taken away."
                ),
            Exchange = transport.Exchange,
            RoutingKey = transport.RoutingKey ?? "",
            CorrelationId = context.CorrelationId?.ToString(),
            ContentType = (context.ContentType ?? context.Serialization.DefaultContentType).ToString(),
            Headers = Serialize(
                context.Headers.GetAll().Select(h => new KeyValuePair<string, object?>(h.Key, h.Value))
            ),
            Body = EnvelopeTimes.ByDatabaseClock(context.Serializer.GetMessageBody(context).GetBytes()),
            Priority =
                priority
                ?? (transport.BasicProperties.IsPriorityPresent() ? (short?)transport.BasicProperties.Priority : null),
            // A published type may have no queue of its own; its exchange's alternate keeps what must not be lost. A
            // sent one has an address, so it must arrive.
            Mandatory = transport.Mandatory,
            DueAt = delay is { } wait && wait > TimeSpan.Zero ? now + wait : null,
            ExpiresAt = context.TimeToLive is { } life ? now + life : null,
        };
    }

    /// <summary>
    /// The row that brings a received message to the same endpoint again, as it is: same id, same counters.
    /// </summary>
    /// <param name="context">The message.</param>
    /// <param name="exchange">The endpoint's exchange.</param>
    /// <param name="dueAt">When it is to come.</param>
    /// <param name="lost">Deliveries of it that were lost so far: the broker counts anew, because for the broker it is
    /// a new message.</param>
    /// <param name="refusedSince">Since when the database refuses what the message needs; null when it waits for
    /// another reason.</param>
    /// <param name="priority">Its class; null for the broker's normal.</param>
    /// <param name="notes">Headers that take the place of the received ones of the same names.</param>
    public static OutboxMessage Deferred(
        ConsumeContext context,
        string exchange,
        DateTimeOffset dueAt,
        long lost,
        DateTimeOffset? refusedSince,
        short? priority,
        params IEnumerable<KeyValuePair<string, object?>> notes
    )
    {
        var received = context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>().Properties;
        return new OutboxMessage
        {
            MessageId = context.MessageId ?? DatabaseClock.NewId(),
            Exchange = exchange,
            // Bytes of a foreign message that were no text are longer as text, perhaps longer than can be sent.
            CorrelationId = AmqpLimits.ShortStringOrNull(StorableText.OfNullable(received.CorrelationId)),
            ContentType =
                AmqpLimits.ShortStringOrNull(StorableText.OfNullable(received.ContentType)) ?? Envelope.ContentType,
            Headers = Serialize(
                HeadersAgain(received.Headers ?? new Dictionary<string, object?>(), lost)
                    .Concat(Since(refusedSince))
                    .Concat(notes)
            ),
            Body = context.ReceiveContext.Body.GetBytes(),
            Priority = priority,
            DueAt = dueAt,
        };
    }

    /// <summary>The class of a received message; null is the broker's normal.</summary>
    public static short? PriorityOf(ConsumeContext context) =>
        context.ReceiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var received)
        && received.Properties.IsPriorityPresent()
            ? received.Properties.Priority
            : null;

    // x-… headers are the broker's and the client's notes about the last delivery.
    private static IEnumerable<KeyValuePair<string, object?>> HeadersAgain(
        IDictionary<string, object?> received,
        long lost
    )
    {
        var headers = received.Where(h =>
            !h.Key.StartsWith("x-", StringComparison.Ordinal)
            && h.Key != RefusedSinceHeader
            && AmqpLimits.IsShortString(h.Key)
        );
        return lost > 0 ? headers.Append(new(LostDeliveriesHeader, lost)) : headers;
    }

    private static IEnumerable<KeyValuePair<string, object?>> Since(DateTimeOffset? refusedSince) =>
        refusedSince is { } since
            ? [new(RefusedSinceHeader, since.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture))]
            : [];

    private static string Serialize(IEnumerable<KeyValuePair<string, object?>> headers)
    {
        var values = new Dictionary<string, object?>();
        foreach (var (key, value) in headers)
        {
            values[StorableText.Of(key)] = value switch
            {
                null => null,
                byte[] bytes => StorableText.Of(Encoding.UTF8.GetString(bytes)),
                string text => StorableText.Of(text),
                bool or short or int or long or float or double => value,
                _ => StorableText.OfNullable(value.ToString()),
            };
        }

        return values.Count == 0 ? "{}" : JsonSerializer.Serialize(values);
    }
}
