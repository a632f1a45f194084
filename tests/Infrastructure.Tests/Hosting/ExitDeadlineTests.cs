using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>A process ends in time after SIGTERM, with exit code 0, whatever in it does not.</summary>
public sealed class ExitDeadlineTests : SystemFixture
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    // Whoever is kept waiting takes this long, and a busy machine less.
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(3);

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task A_process_that_hangs_while_it_stops_is_ended_in_time_and_says_so()
    {
        await using var process = await StartAsync(Within, ("Zoo:Sloth", "true"));
        var (code, took) = await process.TerminateAsync();

        Assert.That(code, Is.Zero, process.Output);
        Assert.That(took, Is.LessThanOrEqualTo(Within), "from the signal to the exit");
        await Eventually.That(() => process.Output, Does.Contain("it is ended as it is"), "what the process said");
    }

    [Test]
    public async Task A_process_that_comes_to_its_end_is_not_kept_waiting()
    {
        await using var process = await StartAsync(Long);
        var (code, took) = await process.TerminateAsync();

        Assert.That(code, Is.Zero, process.Output);
        Assert.That(took, Is.LessThan(Long * 0.3), "from the signal to the exit");
        Assert.That(process.Output, Does.Not.Contain("it is ended as it is"));
    }

    private async Task<ZooProcess> StartAsync(TimeSpan within, params (string Name, string? Value)[] settings)
    {
        var process = ZooProcess.Start(
            TestSystem,
            "clock",
            [("Workers:Schedules", "false"), ("Shutdown:Within", within.ToString()), .. settings]
        );
        // Not when the host has started: a bus that is told to stop while it still connects waits for its next try,
        // seconds later.
        await Eventually.That(
            () => process.Output,
            Does.Contain("Bus started"),
            "what the process says",
            TimeSpan.FromMinutes(2)
        );
        return process;
    }
}
