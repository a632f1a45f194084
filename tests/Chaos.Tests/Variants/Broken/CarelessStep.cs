using MassTransit;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>Puts another step in the place of a step of the catalogue: same name, same queue.</summary>
internal static class CarelessStep<TStep>
    where TStep : class, IStep, IConsumer
{
    public static StepEntry InPlaceOf(StepEntry step, string name) =>
        step.Name == name ? new StepCatalogue().Add<TStep>(step.Services).Steps.Single() : step;
}
