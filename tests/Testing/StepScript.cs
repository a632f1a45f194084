using System.Collections.Concurrent;
using MassTransit;
using QueueWorkers.Steps;

namespace Orders.Testing;

/// <summary>
/// Makes any step misbehave without touching it: what the script says for a message happens in place of the step's own
/// work, inside its run, as if the step had done it.
/// </summary>
public sealed class StepScript
{
    private readonly ConcurrentDictionary<Guid, Func<ConsumeContext, int, Task>> _acts = new();
    private readonly ConcurrentDictionary<Guid, Func<ConsumeContext, Task>> _afters = new();
    private readonly ConcurrentDictionary<Guid, int> _runs = new();

    /// <summary>Says what is to happen when the step runs for a subject.</summary>
    /// <param name="subject">The subject.</param>
    /// <param name="act">Gets the number of the run, from 1. If it returns, the step itself runs.</param>
    public void For(Guid subject, Func<ConsumeContext, int, Task> act) => _acts[subject] = act;

    /// <summary>Says what is to happen after the step's own work for a subject and before its commit.</summary>
    public void AfterFor(Guid subject, Func<ConsumeContext, Task> act) => _afters[subject] = act;

    /// <summary>What happens for subjects of which nothing was said.</summary>
    public Func<ConsumeContext, int, Task>? Otherwise { get; init; }

    /// <summary>How often the step was run for a subject.</summary>
    public int RunsOf(Guid subject) => _runs.GetValueOrDefault(subject);

    /// <summary>The catalogue's entry with the script built in.</summary>
    public StepEntry In(StepEntry entry) =>
        entry with
        {
            Configure = (endpoint, context) =>
            {
                endpoint.ConnectConsumerConfigurationObserver(new Observer(this));
                entry.Configure(endpoint, context);
            },
        };

    private async Task RunAsync(ConsumeContext context)
    {
        var subject = context.Step().SubjectId;
        var run = _runs.AddOrUpdate(subject, 1, static (_, n) => n + 1);
        if ((_acts.GetValueOrDefault(subject) ?? Otherwise) is { } act)
            await act(context, run);
    }

    private sealed class Observer(StepScript script) : IConsumerConfigurationObserver
    {
        // Filters of the consumer's own pipe stand inside everything that the framework adds: what they throw is thrown
        // by the step.
        public void ConsumerConfigured<TConsumer>(IConsumerConfigurator<TConsumer> configurator)
            where TConsumer : class => configurator.UseFilter(new Filter<TConsumer>(script));

        public void ConsumerMessageConfigured<TConsumer, TMessage>(
            IConsumerMessageConfigurator<TConsumer, TMessage> configurator
        )
            where TConsumer : class
            where TMessage : class { }
    }

    private sealed class Filter<TConsumer>(StepScript script) : IFilter<ConsumerConsumeContext<TConsumer>>
        where TConsumer : class
    {
        public async Task Send(ConsumerConsumeContext<TConsumer> context, IPipe<ConsumerConsumeContext<TConsumer>> next)
        {
            await script.RunAsync(context);
            await next.Send(context);
            if (script._afters.TryGetValue(context.Step().SubjectId, out var after))
                await after(context);
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("script");
    }
}
