using System.Text;
using System.Text.Json;
using MassTransit;

namespace Orders.Infrastructure.Outbox;

/// <summary>Turns what MassTransit is about to send, or has received, into an outbox row. The only place that knows both.</summary>
internal static class SendContextRow
{
    /// <summary>The row of a message that code published or sent through MassTransit's own interfaces.</summary>
    /// <param name="context">The fully populated transport context.</param>
    /// <param name="delay">Overrides the context's own delay.</param>
    /// <param name="priority">Overrides the context's own class.</param>
    public static OutboxMessage From<T>(SendContext<T> context, TimeSpan? delay = null, short? priority = null)
        where T : class
    {
        var transport = (RabbitMqSendContext)context;
        delay ??= context.Delay;
        // The delay is the row's due time; inside the envelope it would ask for the delayed exchange.
        context.Delay = null;
        var now = DateTimeOffset.UtcNow;
        return new OutboxMessage
        {
            MessageId = context.MessageId ?? throw new InvalidOperationException($"A {typeof(T).Name} without a message id cannot be stored; MassTransit assigns one unless it was taken away."),
            Exchange = transport.Exchange,
            RoutingKey = transport.RoutingKey ?? "",
            CorrelationId = context.CorrelationId?.ToString(),
            ContentType = (context.ContentType ?? context.Serialization.DefaultContentType).ToString(),
            Headers = Serialize(context.Headers.GetAll().Select(h => new KeyValuePair<string, object?>(h.Key, h.Value))),
            Body = context.Serializer.GetMessageBody(context).GetBytes(),
            Priority = priority ?? (transport.BasicProperties.IsPriorityPresent() ? (short?)transport.BasicProperties.Priority : null),
            // A published type may have no queue of its own; its exchange's alternate keeps what must not be lost. A sent one has an address, so it must arrive.
            Mandatory = transport.Mandatory,
            DueAt = delay is { } wait && wait > TimeSpan.Zero ? now + wait : null,
            ExpiresAt = context.TimeToLive is { } life ? now + life : null,
        };
    }

    /// <summary>The row that brings a received message to the same endpoint again, as it is: same id, same class, same counters.</summary>
    /// <param name="context">The message.</param>
    /// <param name="exchange">The endpoint's exchange.</param>
    /// <param name="dueAt">When it is to come.</param>
    /// <param name="notes">Headers that take the place of the received ones of the same names.</param>
    public static OutboxMessage Again(ConsumeContext context, string exchange, DateTimeOffset dueAt, params IEnumerable<KeyValuePair<string, object?>> notes)
    {
        var received = context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>().Properties;
        return new OutboxMessage
        {
            MessageId = context.MessageId ?? Guid.CreateVersion7(),
            Exchange = exchange,
            CorrelationId = received.CorrelationId,
            ContentType = received.ContentType ?? Envelope.ContentType,
            // x-… headers are the broker's and the client's notes about the last delivery.
            Headers = Serialize((received.Headers ?? new Dictionary<string, object?>()).Where(h => !h.Key.StartsWith("x-", StringComparison.Ordinal)).Concat(notes)),
            Body = context.ReceiveContext.Body.GetBytes(),
            Priority = received.IsPriorityPresent() ? received.Priority : null,
            DueAt = dueAt,
        };
    }

    /// <summary>The class of a received message; null is the broker's normal.</summary>
    public static short? PriorityOf(ConsumeContext context) =>
        context.ReceiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var received) && received.Properties.IsPriorityPresent() ? received.Properties.Priority : null;

    private static string Serialize(IEnumerable<KeyValuePair<string, object?>> headers)
    {
        var values = new Dictionary<string, object?>();
        foreach (var (key, value) in headers)
        {
            values[key] = value switch
            {
                null => null,
                byte[] bytes => Encoding.UTF8.GetString(bytes),
                string or bool or short or int or long or float or double => value,
                _ => value.ToString(),
            };
        }

        return values.Count == 0 ? "{}" : JsonSerializer.Serialize(values);
    }
}
