using System.Diagnostics;
using System.Text.Json.Nodes;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>
/// A schedule of every second that an operator has created, over three processes that are killed at random, while the
/// operator changes its payload and deletes it in the end: each firing leads to one effect, and no second is missing.
/// </summary>
public sealed class ChangedWhileKilledTests : SystemFixture
{
    private const string Step = "clock";
    private const int LeastKilled = 3;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(12);

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task None_is_lost_and_none_is_doubled()
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(),
            Catalogue,
            _ => { },
            CancellationToken.None,
            DeadlyZoo.Schedules
        );
        await TestSystem.Database.ExecuteAsync("update schedules set paused = true");
        var schedules = new ChangeableSchedules(TestSystem.Database.Source);
        var (name, _) = await schedules.CreateAsync(
            "beat",
            "second",
            new ScheduleDraft("* * * * * *", "UTC", Misfire.All, Pitch(1)),
            Did,
            CancellationToken.None
        );
        var (dice, killed, changed) = (new Random(20261129), 0, 1);
        var processes = Enumerable.Range(0, 3).Select(_ => Start()).ToArray();
        try
        {
            await Eventually.That(FiringsAsync, Is.GreaterThan(0), "firings", TimeSpan.FromMinutes(2));
            var watch = Stopwatch.StartNew();
            var next = TimeSpan.FromSeconds(1);
            await Eventually.Is(
                async () =>
                {
                    if (watch.Elapsed > next && (watch.Elapsed < Duration || killed < LeastKilled))
                    {
                        var which = dice.Next(processes.Length);
                        await processes[which].DisposeAsync();
                        processes[which] = Start();
                        killed++;
                        next = watch.Elapsed + TimeSpan.FromSeconds(1 + (2 * dice.NextDouble()));
                    }

                    await schedules.ChangeAsync(
                        name,
                        null,
                        draft => draft with { Payload = Pitch(++changed) },
                        Did,
                        CancellationToken.None
                    );
                    return await TestSystem.Database.ScalarAsync<bool>(
                            "select max(due_at) - min(due_at) >= $1 from schedule_runs",
                            Duration
                        )
                        && killed >= LeastKilled;
                },
                "the seconds were fired",
                Duration + TimeSpan.FromMinutes(2)
            );
            await schedules.DeleteAsync(name, null, Did(""), CancellationToken.None);
            await Eventually.Is(
                async () => await FiringsAsync() == await EffectsAsync(),
                "every firing has had its effect",
                TimeSpan.FromMinutes(1)
            );
        }
        finally
        {
            foreach (var process in processes)
                await process.DisposeAsync();
        }

        var due = (await TestSystem.Database.RowsAsync("select due_at from schedule_runs order by due_at")).ConvertAll(
            r => (DateTime)r[0]!
        );
        TestContext.Out.WriteLine($"{due.Count} firings, {changed} payloads, {killed} processes killed");
        Assert.That(
            due,
            Is.EqualTo(Enumerable.Range(0, due.Count).Select(s => due[0].AddSeconds(s))),
            "each second fired, once"
        );
        Assert.That(await EffectsAsync(), Is.EqualTo(due.Count), "effects");
        Assert.That(
            await TestSystem.Database.CountAsync("effects where step = $1", Step),
            Is.EqualTo(due.Count),
            "effects begun"
        );
    }

    private static JsonObject Pitch(int pitch) => new() { ["pitch"] = pitch };

    private static AuditEntry Did(string target) =>
        new()
        {
            Who = "ada",
            Role = "Operator",
            Action = "test",
            Target = target,
        };

    private Task<long> FiringsAsync() => TestSystem.Database.CountAsync("schedule_runs");

    private Task<long> EffectsAsync() =>
        TestSystem.Database.CountAsync($"effects where state = {EffectState.Done:D} and step = $1", Step);

    private ZooProcess Start() => ZooProcess.Start(TestSystem, Step);
}
