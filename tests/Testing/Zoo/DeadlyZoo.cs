using MassTransit;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Steps;

namespace Orders.Testing.Zoo;

/// <summary>
/// Steps and schedules for processes that die; run by <c>ZooWorker</c>, never in a test's own process.
/// </summary>
public static class DeadlyZoo
{
    /// <summary>The steps.</summary>
    public static StepCatalogue Steps { get; } = new StepCatalogue().Add<ViperStep>().Add<CobraStep>().Add<ClockStep>();

    /// <summary>
    /// Ticks every second, and makes up for every second that was missed; and a kind of which tests create schedules.
    /// </summary>
    public static ScheduleCatalogue Schedules { get; } =
        new ScheduleCatalogue()
            .Publish("tick", "* * * * * *", Misfire.All, firing => new Tick(firing.Id, firing.DueAt))
            .Changeable(
                "beat",
                "Ticks with a pitch.",
                [ScheduleField.Number("pitch", "Pitch", 1, 1_000_000)],
                (firing, payload) => new Tick(firing.Id, firing.DueAt, payload.Number("pitch")),
                smallestInterval: TimeSpan.FromSeconds(1)
            );
}

/// <summary>What <see cref="ViperStep"/> consumes.</summary>
public sealed record Bite(Guid AnimalId, bool Deadly);

/// <summary>
/// Kills its process when a message says so, in the way of a stack overflow or of native code: no exception, no
/// clean-up.
/// </summary>
public sealed class ViperStep : IConsumer<Bite>, IStep
{
    public static StepPolicy Policy => new("viper") { Concurrency = 16 };

    public async Task Consume(ConsumeContext<Bite> context)
    {
        if (context.Message.Deadly)
            Environment.FailFast("Bitten by the viper.");
        // Innocents take a moment, so that the killer meets them at work.
        await Task.Delay(TimeSpan.FromMilliseconds(300), context.CancellationToken);
    }
}

/// <summary>What <see cref="CobraStep"/> consumes.</summary>
public sealed record Strike(Guid AnimalId);

/// <summary>Kills its process after it has claimed its effect, as a crash in a mail library would.</summary>
public sealed class CobraStep : IConsumer<Strike>, IStep
{
    public static StepPolicy Policy => new("cobra") { Concurrency = 16 };

    public async Task Consume(ConsumeContext<Strike> context)
    {
        await context.Step().Effect.ClaimAsync(TimeSpan.FromMinutes(5), "a reference", context.CancellationToken);
        Environment.FailFast("Struck by the cobra.");
    }
}

/// <summary>A second has passed.</summary>
public sealed record Tick(Guid TickId, DateTimeOffset At, int Pitch = 0);

/// <summary>Counts the ticks: one effect for each.</summary>
public sealed class ClockStep : IConsumer<Tick>, IStep
{
    public static StepPolicy Policy => new("clock") { Concurrency = 50 };

    public Task Consume(ConsumeContext<Tick> context) => Task.CompletedTask;
}
