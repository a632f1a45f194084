using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A step written in a hurry, with no policy but its name, keeps everything that a careful one keeps.
/// </summary>
public sealed class HurriedStepContractTests : ZooContract<HurriedStep>;

public sealed class PatientStepContractTests : ZooContract<PatientStep>;

public sealed class MotherStepContractTests : ZooContract<MotherStep>;

public sealed class CarefulStepContractTests : ZooContract<CarefulStep>;

/// <summary>The zoo's steps work on animals, not on orders: the framework does not know the difference.</summary>
public abstract class ZooContract<TStep>() : StepContract<TStep>(ZooCatalogue.Of())
    where TStep : class, IStep
{
    protected override Task<Guid> NewSubjectAsync() => Task.FromResult(Guid.NewGuid());
}
