using MassTransit;
using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>Tells the broker at once that a message is done, and then does it.</summary>
internal sealed class EarlyAck : IFilter<ConsumeContext>
{
    public static StepEntry In(StepEntry step) =>
        step with
        {
            Configure = (endpoint, context) =>
            {
                // First, so that it stands around everything that the framework adds.
                ((IPipeConfigurator<ConsumeContext>)endpoint).UseFilter(new EarlyAck());
                step.Configure(endpoint, context);
            },
        };

    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        if (context.TryGetMessage<OrderAccepted>(out var accepted))
            await context.NotifyConsumed(accepted, TimeSpan.Zero, nameof(EarlyAck));
        else if (context.TryGetMessage<StockReserved>(out var reserved))
            await context.NotifyConsumed(reserved, TimeSpan.Zero, nameof(EarlyAck));
        else if (context.TryGetMessage<StockRejected>(out var rejected))
            await context.NotifyConsumed(rejected, TimeSpan.Zero, nameof(EarlyAck));
        _ = Task.Run(() => next.Send(context));
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("earlyAck");
}
