using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants;

/// <summary>
/// The system with one deliberate mistake, the fault that brings it to light, and the invariant that must catch it.
/// </summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Fault">What is done to it.</param>
/// <param name="CaughtBy">The invariant.</param>
internal sealed record Variant(string Name, Fault Fault, string CaughtBy)
{
    /// <summary>Breaks database or broker, before anything runs.</summary>
    public Func<Stage, Task> Break { get; init; } = _ => Task.CompletedTask;

    /// <summary>Breaks a step.</summary>
    public Func<StepEntry, StepEntry> Step { get; init; } = step => step;

    /// <summary>Breaks the worker process.</summary>
    public Action<IServiceCollection> Services { get; init; } = _ => { };

    /// <summary>Whether it brings a relay of its own instead of ours.</summary>
    public bool HasOwnRelay { get; init; }

    /// <summary>The unbroken system under the same fault.</summary>
    public static Variant Unbroken(Fault fault) => new("unbroken", fault, "");

    /// <inheritdoc />
    public override string ToString() => $"{Name}, {Fault.Name}";
}
