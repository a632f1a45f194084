using MassTransit;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps;

/// <summary>Gives a step what the framework knows of its run.</summary>
public static class StepContextExtensions
{
    /// <summary>The run that the message is being consumed in, as far as a step's author needs it.</summary>
    /// <exception cref="InvalidOperationException">The consumer was not registered as a step.</exception>
    public static StepContext Step(this ConsumeContext context) => Run(context).Context;

    /// <summary>
    /// When the message was deferred for the first time since its last attempt or redrive; null when it was not.
    /// </summary>
    /// <exception cref="InvalidOperationException">The consumer was not registered as a step.</exception>
    public static DateTimeOffset? DeferredSince(this ConsumeContext context) => Run(context).DeferredSince;

    private static StepRun Run(ConsumeContext context) =>
        context.TryGetPayload<StepRun>(out var run)
            ? run
            : throw new InvalidOperationException(
                "This consumer does not run as a step: register it with StepCatalogue.Add<TStep>() and implement IStep."
            );
}
