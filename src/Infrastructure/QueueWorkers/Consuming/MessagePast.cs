using System.Globalization;
using MassTransit;
using QueueWorkers.DeadLetters;
using QueueWorkers.FlowControl.Poison;

namespace QueueWorkers.Consuming;

/// <summary>Reads what a received message says about its past.</summary>
internal static class MessagePast
{
    /// <summary>Of a message; what stands in a header and is no number is none of ours.</summary>
    /// <param name="context">The message.</param>
    /// <param name="lost">Deliveries of it that were lost.</param>
    public static DeliveryPast Of(ConsumeContext context, long lost)
    {
        var isRedriven =
            context.Headers.TryGetHeader(RedriveCount.Header, out var value)
            & int.TryParse(
                Convert.ToString(value, CultureInfo.InvariantCulture),
                CultureInfo.InvariantCulture,
                out var generation
            );
        return new DeliveryPast(
            lost,
            isRedriven ? Math.Max(generation, 0) : 0,
            // Written by MassTransit on the way to _error; a redrive removes it.
            context.ReceiveContext.TransportHeaders.TryGetHeader(MessageHeaders.Reason, out _)
        );
    }
}
