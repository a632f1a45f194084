using MassTransit;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>A step whose author did not want to see exceptions.</summary>
internal static class Swallowing
{
    public static StepEntry In(StepEntry step) =>
        step with
        {
            Configure = (endpoint, context) =>
            {
                endpoint.ConnectConsumerConfigurationObserver(new Observer());
                step.Configure(endpoint, context);
            },
        };

    private sealed class Observer : IConsumerConfigurationObserver
    {
        public void ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
            where TConsumer : class => configurator.UseFilter(new Filter<TConsumer>());

        public void ConsumerMessageConfigured<TConsumer, TMessage>(
            IConsumerMessageConfigurator<TConsumer, TMessage> configurator
        )
            where TConsumer : class
            where TMessage : class { }
    }

    private sealed class Filter<TConsumer> : IFilter<ConsumerConsumeContext<TConsumer>>
        where TConsumer : class
    {
        public async Task Send(ConsumerConsumeContext<TConsumer> context, IPipe<ConsumerConsumeContext<TConsumer>> next)
        {
            try
            {
                await next.Send(context);
            }
#pragma warning disable CA1031 // The mistake that this variant is for.
            catch (Exception)
#pragma warning restore CA1031
            { }
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("swallowing");
    }
}
