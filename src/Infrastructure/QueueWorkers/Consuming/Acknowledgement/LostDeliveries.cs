using System.Globalization;
using MassTransit;

namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>How often the broker lost a consumer that held a message: its process died or its connection did. Quorum queues count it; a message that was never redelivered has no count.</summary>
internal static class LostDeliveries
{
    private const string Header = "x-delivery-count";

    public static long Of(ConsumeContext context)
    {
        if (!context.ReceiveContext.Redelivered || !context.ReceiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var received))
            return 0;
        return received.Properties.Headers is { } headers && headers.TryGetValue(Header, out var count) ? Convert.ToInt64(count, CultureInfo.InvariantCulture) : 0;
    }
}
