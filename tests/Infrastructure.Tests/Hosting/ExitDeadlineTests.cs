using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>A process ends in time after SIGTERM, with exit code 0, whatever in it does not.</summary>
public sealed class ExitDeadlineTests : SystemFixture
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task A_process_that_hangs_while_it_stops_is_ended_in_time_and_says_so()
    {
        await using var process = await StartAsync(("Zoo:Sloth", "true"));
        var (code, took) = await process.TerminateAsync();

        Assert.That(code, Is.Zero, process.Output);
        Assert.That(took, Is.LessThanOrEqualTo(Within), "from the signal to the exit");
        await Eventually.That(() => process.Output, Does.Contain("it is ended as it is"), "what the process said");
    }

    [Test]
    public async Task A_process_that_comes_to_its_end_is_not_kept_waiting()
    {
        await using var process = await StartAsync();
        var (code, took) = await process.TerminateAsync();

        Assert.That(code, Is.Zero, process.Output);
        Assert.That(took, Is.LessThan(Within * 0.8), "from the signal to the exit");
        Assert.That(process.Output, Does.Not.Contain("it is ended as it is"));
    }

    private async Task<ZooProcess> StartAsync(params (string Name, string? Value)[] settings)
    {
        var process = ZooProcess.Start(
            TestSystem,
            "clock",
            [("Workers:Schedules", "false"), ("Shutdown:Within", Within.ToString()), .. settings]
        );
        // Not when the host has started: a bus that is told to stop while it still connects waits for its next try,
        // seconds later.
        await Eventually.That(
            () => process.Output,
            Does.Contain("Bus started"),
            "what the process says",
            TimeSpan.FromMinutes(1)
        );
        return process;
    }
}
