using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>
/// A background loop that ends takes its process down, visibly: a process that goes on without one only looks alive.
/// </summary>
public sealed class LoopWatchTests : SystemFixture
{
    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [TestCase("returns", 1, "a new one takes over: Lemming.")]
    [TestCase("throws", 1, "over the cliff")]
    [TestCase("loop", 134, "'lemmings' has ended by an exception")]
    public async Task A_background_loop_that_ends_takes_the_process_down(string end, int exitCode, string says)
    {
        await using var process = ZooProcess.Start(
            TestSystem,
            "clock",
            ("Workers:Schedules", "false"),
            ("Zoo:Lemming", end)
        );

        Assert.That(await process.WaitAsync(TimeSpan.FromMinutes(3)), Is.EqualTo(exitCode), process.Output);
        Assert.That(process.Output, Does.Contain(says));
    }

    // Without steps there is nothing to poll for, which is no reason to end.
    [Test]
    public async Task Loops_that_have_nothing_to_do_do_not_end()
    {
        await using var host = await TestSystem.StartAsync("");
        foreach (var service in host.Services.GetServices<IHostedService>().OfType<BackgroundService>())
            Assert.That(service.ExecuteTask!.IsCompleted, Is.False, service.GetType().Name);
    }

    [Test]
    public async Task The_loop_that_deletes_sent_rows_survives_whatever_goes_wrong()
    {
        await using var host = await TestSystem.StartAsync("");
        // From now on every use of the database throws what no server would.
        await host.Services.GetRequiredService<NpgsqlDataSource>().DisposeAsync();
        for (var faults = 1; faults <= 2; faults++)
        {
            host.Feed.Offer(OutgoingMessage.Create(new Tick(Guid.NewGuid(), DateTimeOffset.UtcNow), Guid.NewGuid()));
            await Eventually.That(
                () =>
                    host.Log.Lines.Count(l =>
                        l.Line.Contains("Relay loop failed and goes on: cleanup", StringComparison.Ordinal)
                    ),
                Is.EqualTo(faults),
                "faults that were logged"
            );
        }
    }
}
