using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>
/// A message that kills its process, among innocents on one queue. The process is started again each time, as compose
/// does.
/// </summary>
public sealed class KillerTests : SystemFixture
{
    private const string Step = "viper";

    // Twice among others, then twice alone, which nobody else can be blamed for.
    private const int PlannedDeaths = 4;

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task The_killer_is_dead_lettered_and_the_innocents_are_done()
    {
        var innocents = Enumerable.Range(0, 15).Select(_ => Guid.NewGuid()).ToArray();
        var killer = Guid.NewGuid();
        for (var i = 0; i < innocents.Length; i++)
        {
            if (i == innocents.Length / 2)
                await TestSystem.Broker.PublishToAsync(Step, new Bite(killer, Deadly: true));
            await TestSystem.Broker.PublishToAsync(Step, new Bite(innocents[i], Deadly: false));
        }

        var deaths = 0;
        var process = Start();
        try
        {
            await Eventually.That(
                async () =>
                {
                    if (process.HasExited)
                    {
                        deaths++;
                        await process.DisposeAsync();
                        process = Start();
                    }

                    return await TestSystem.StatusAsync(killer, Step);
                },
                Is.EqualTo(StepStatus.Failed),
                "status of the killer",
                TimeSpan.FromMinutes(4)
            );
            foreach (var innocent in innocents)
                await TestSystem.UntilAsync(innocent, Step, StepStatus.Done);
            await Eventually.That(
                () => TestSystem.Broker.CountAsync($"{Step}_error"),
                Is.EqualTo(1u),
                "dead-lettered messages"
            );
            // While the process lives: it removes a mark after the commit of its run, and writes down that the killer is
            // in _error after it has moved it there. What is known of the killer stays, for its copies.
            await Eventually.That(
                () => TestSystem.Database.CountAsync("suspects where dead_lettered_at is null"),
                Is.Zero,
                "suspects left"
            );
        }
        finally
        {
            await process.DisposeAsync();
        }

        TestContext.Out.WriteLine(
            $"{deaths} processes died; {innocents.Length} innocents done; the killer dead-lettered: {await TestSystem.LastFaultAsync(killer, Step)}"
        );
        Assert.That(deaths, Is.EqualTo(PlannedDeaths), "processes that died");
        Assert.That(
            await TestSystem.LastFaultAsync(killer, Step),
            Does.StartWith("PoisonMessageException").And.Contain("kills its process")
        );
        Assert.That(await TestSystem.EffectsAsync(killer), Is.Zero, "effects of the killer");
        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = any($1)", innocents),
            Is.EqualTo(innocents.Length),
            "effects of the innocents"
        );
    }

    private ZooProcess Start() => ZooProcess.Start(TestSystem, Step, ("Workers:Schedules", "false"));
}
