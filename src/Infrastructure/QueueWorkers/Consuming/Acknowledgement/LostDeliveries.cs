using MassTransit;
using QueueWorkers.Outbox;

namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>
/// How often a consumer that held a message was lost: its process died or its connection did. Quorum queues count it; a
/// message that was never redelivered has no count.
/// A deferred message is a new one to the broker, so it carries what was counted before in a header of ours.
/// </summary>
internal static class LostDeliveries
{
    private const string Header = "x-delivery-count";

    // Far above every limit; what a foreign message has in the header must not overflow.
    private const long Most = 1000;

    public static long Of(ConsumeContext context)
    {
        if (
            !context.ReceiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var received)
            || received.Properties.Headers is not { } headers
        )
            return 0;
        return CountIn(headers, SendContextRow.LostDeliveriesHeader)
            + (context.ReceiveContext.Redelivered ? CountIn(headers, Header) : 0);
    }

    private static long CountIn(IDictionary<string, object?> headers, string name) =>
        headers.TryGetValue(name, out var value)
            ? Math.Clamp(
                value switch
                {
                    long count => count,
                    int count => count,
                    short count => count,
                    byte count => count,
                    _ => 0,
                },
                0,
                Most
            )
            : 0;
}
