using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A step written in a hurry, with no policy but its name, keeps everything that a careful one keeps.</summary>
public sealed class HurriedStepKeepsTheContract : ZooContract<HurriedStep>;

public sealed class PatientStepKeepsTheContract : ZooContract<PatientStep>;

public sealed class MotherStepKeepsTheContract : ZooContract<MotherStep>;

public sealed class CarefulStepKeepsTheContract : ZooContract<CarefulStep>;

/// <summary>The zoo's steps work on animals, not on orders: the framework does not know the difference.</summary>
public abstract class ZooContract<TStep>() : StepContract<TStep>(ZooCatalogue.Of())
    where TStep : class, IStep
{
    protected override Task<Guid> NewSubjectAsync() => Task.FromResult(Guid.NewGuid());
}
