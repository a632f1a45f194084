using MassTransit;

namespace QueueWorkers.Steps;

/// <summary>Gives a step what the framework knows of its run.</summary>
public static class StepContext
{
    /// <summary>The run that the message is being consumed in.</summary>
    /// <exception cref="InvalidOperationException">The consumer was not registered as a step.</exception>
    public static StepRun Step(this ConsumeContext context) =>
        context.TryGetPayload<StepRun>(out var run)
            ? run
            : throw new InvalidOperationException(
                "This consumer does not run as a step: register it with StepCatalogue.Add<TStep>() and implement IStep."
            );
}
