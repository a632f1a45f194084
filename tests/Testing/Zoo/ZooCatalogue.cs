using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Testing.Zoo;

/// <summary>
/// Steps to test the framework with; each behaves well until a <see cref="StepScript"/> says otherwise.
/// </summary>
public static class ZooCatalogue
{
    /// <summary>All of them.</summary>
    public static StepCatalogue Of() =>
        new StepCatalogue()
            .Add<HurriedStep>()
            .Add<PatientStep>()
            .Add<MotherStep>()
            .Add<CarefulStep>()
            .PublishesEvent<Born>()
            .PublishesEvent<Fed>()
            .PublishesEvent<Grown>()
            .PublishesEvent<OrderCompleted>()
            .PublishesEvent<OrderRejected>();
}
