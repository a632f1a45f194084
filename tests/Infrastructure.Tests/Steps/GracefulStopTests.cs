using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A process that is asked to stop ends what it can, and gives back the rest.</summary>
public sealed class GracefulStopTests() : ZooFixture("patient")
{
    // Fifteen seconds outside the tests; long enough for a busy machine to commit the quick run.
    private static readonly TimeSpan ConsumerStopTimeout = TimeSpan.FromSeconds(7);

    protected override void Configure(IServiceCollection services) =>
        services.Configure<MassTransitHostOptions>(options =>
        {
            options.StopTimeout = TimeSpan.FromSeconds(12);
            options.ConsumerStopTimeout = ConsumerStopTimeout;
        });

    [Test]
    public async Task What_is_not_finished_returns_to_the_queue_and_is_done_by_the_next_process()
    {
        var endless = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        var quick = Guid.NewGuid();
        var stopping = new TaskCompletionSource();
        foreach (var subject in endless)
            Script.For(
                subject,
                (context, run) =>
                    run == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken) : Task.CompletedTask
            );
        Script.For(quick, (_, _) => stopping.Task);
        foreach (var subject in endless.Append(quick))
            await DeliverAsync("patient", new Feed(subject));
        await Eventually.Is(
            () => endless.Append(quick).All(s => Script.RunsOf(s) == 1),
            "every message is being worked on"
        );

        var stop = Host.StopAsync();
        stopping.SetResult();
        await stop;

        Assert.That(
            await TestSystem.StatusAsync(quick, "patient"),
            Is.EqualTo(StepStatus.Done),
            "what could be finished was finished"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where subject_id = any($1)", endless),
            Is.Zero,
            "nothing is recorded of what was cut off"
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("patient"),
            Is.EqualTo((uint)endless.Length),
            "messages back in the queue"
        );
        Assert.That(await TestSystem.Broker.CountAsync("patient_error"), Is.Zero, "dead-lettered");

        await StartAnotherAsync();
        foreach (var subject in endless)
            await TestSystem.UntilAsync(subject, "patient", StepStatus.Done);
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by stopping"
        );
    }
}
