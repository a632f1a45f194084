using System.Diagnostics;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>
/// A schedule every second over three processes that are killed at random: each firing's message leads to one effect,
/// and no second is missing.
/// <c>ORDERS_SCHEDULE_SECONDS</c> makes it longer.
/// </summary>
public sealed class EverySecondTests : SystemFixture
{
    private const string Step = "clock";
    private const int LeastKilled = 3;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        double.Parse(
            Environment.GetEnvironmentVariable("ORDERS_SCHEDULE_SECONDS") ?? "15",
            System.Globalization.CultureInfo.InvariantCulture
        )
    );

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task None_is_lost_and_none_is_doubled([Values] bool kills)
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(),
            Catalogue,
            _ => { },
            CancellationToken.None,
            DeadlyZoo.Schedules
        );
        await TestSystem.Database.ExecuteAsync(
            "delete from schedule_runs; delete from effects; update schedules set paused = false, next_due_at = date_trunc('second', now()) + interval '1 second', misfires = 0"
        );
        var dice = new Random(20261124);
        var processes = Enumerable.Range(0, 3).Select(_ => Start()).ToArray();
        var killed = 0;
        try
        {
            await Eventually.That(FiringsAsync, Is.GreaterThan(0), "firings", TimeSpan.FromMinutes(2));
            var watch = Stopwatch.StartNew();
            var next = TimeSpan.FromSeconds(1);
            // By the seconds that were fired, and not by the time that has passed: processes that start slowly make up
            // for what they are behind, unless the schedule is paused before. The killing ends by itself, so that they can.
            await Eventually.Is(
                async () =>
                {
                    if (kills && watch.Elapsed > next && (watch.Elapsed < Duration || killed < LeastKilled))
                    {
                        var which = dice.Next(processes.Length);
                        await processes[which].DisposeAsync();
                        processes[which] = Start();
                        killed++;
                        next = watch.Elapsed + TimeSpan.FromSeconds(1 + (2 * dice.NextDouble()));
                    }

                    return await TestSystem.Database.ScalarAsync<bool>(
                            "select max(due_at) - min(due_at) >= $1 from schedule_runs",
                            Duration
                        ) && (!kills || killed >= LeastKilled);
                },
                "the seconds were fired",
                Duration + TimeSpan.FromMinutes(2)
            );
            await TestSystem.Database.ExecuteAsync("update schedules set paused = true");
            await UntilAllAreDoneAsync();
        }
        finally
        {
            foreach (var process in processes)
                await process.DisposeAsync();
        }

        var due = (await TestSystem.Database.RowsAsync("select due_at from schedule_runs order by due_at")).ConvertAll(
            r => (DateTime)r[0]!
        );
        TestContext.Out.WriteLine(
            $"{due.Count} firings in {(due[^1] - due[0]).TotalSeconds + 1:0} seconds, {killed} processes killed; {await TestSystem.Database.ScalarAsync<long>("select count(*) from duplicates")} copies suppressed"
        );
        Assert.That(
            due,
            Is.EqualTo(Enumerable.Range(0, due.Count).Select(s => due[0].AddSeconds(s))),
            "each second fired, once"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("effects where step = $1", Step),
            Is.EqualTo(due.Count),
            "effects"
        );
        Assert.That(due, Has.Count.GreaterThan((int)Duration.TotalSeconds));
    }

    // A process that died with messages in its hands leaves them to the broker and to the lease of its outbox rows: no
    // time is given away, none is waited for blindly.
    private async Task UntilAllAreDoneAsync() =>
        await Eventually.Is(
            async () =>
                await TestSystem.Database.CountAsync("schedule_runs")
                == await TestSystem.Database.CountAsync(
                    $"effects where state = {EffectState.Done:D} and step = $1",
                    Step
                ),
            "every firing has had its effect",
            TimeSpan.FromMinutes(1)
        );

    private Task<long> FiringsAsync() => TestSystem.Database.CountAsync("schedule_runs");

    private ZooProcess Start() => ZooProcess.Start(TestSystem, Step);
}
