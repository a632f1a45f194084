using MassTransit;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Idempotency;

namespace Orders.Infrastructure.Steps;

/// <summary>Why a message came although its work was done, as far as the message itself can say.</summary>
internal static class DuplicateCauses
{
    public static DuplicateCause Of(ConsumeContext context)
    {
        if (context.Headers.TryGetHeader(Generations.Header, out _))
            return DuplicateCause.Redrive;
        if (context.ReceiveContext.Redelivered)
            return DuplicateCause.Redelivery;
        return context.GetRedeliveryCount() > 0 ? DuplicateCause.DelayedCopy : DuplicateCause.DoublePublish;
    }
}
