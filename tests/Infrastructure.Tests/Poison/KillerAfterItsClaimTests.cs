using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>
/// A message that kills its process after it has claimed its effect: its next delivery meets its own claim and is
/// deferred, as a new message to the broker, which counts its deliveries from nothing.
/// </summary>
public sealed class KillerAfterItsClaimTests : SystemFixture
{
    private const string Step = "cobra";

    // Twice among others, then twice alone: as many as a killer without a claim.
    private const int PlannedDeaths = 4;

    // The process that publishes a deferred row may die of it before it deletes the row: the row is sent again, as a
    // copy with a lower count of lost deliveries, which kills among others once more. Seen: one such copy. Each death
    // adds at most one to any count, so fewer deaths than planned are impossible.
    private const int MostDeaths = PlannedDeaths + 2;

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task A_message_that_kills_after_its_claim_is_dead_lettered_after_as_many_deaths_as_any_other()
    {
        var killer = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync(Step, new Strike(killer));

        var (deaths, deferrals) = (0, 0);
        var ended = new List<string>();
        var process = ZooProcess.Start(TestSystem, Step, ("Workers:Schedules", "false"));
        try
        {
            await Eventually.That(
                async () =>
                {
                    if (process.HasExited)
                    {
                        deaths++;
                        // Also waits for the rest of its output.
                        await process.WaitAsync(TimeSpan.FromSeconds(30));
                        ended.Add(process.Output);
                        Assert.That(process.Output, Does.Contain("Struck by the cobra"), "why the process ended");
                        await process.DisposeAsync();
                        Assert.That(
                            deaths,
                            Is.LessThanOrEqualTo(MostDeaths),
                            () => $"processes that died:\n{string.Join("\n---\n", ended)}"
                        );
                        process = ZooProcess.Start(TestSystem, Step, ("Workers:Schedules", "false"));
                    }

                    // Deferred until the lease of the dead run ends: nobody waits for five minutes.
                    if (
                        await TestSystem.Database.CountAsync(
                            "outbox where exchange = $1 and due_at > now() + interval '1 minute'",
                            Step
                        ) > 0
                    )
                    {
                        deferrals++;
                        await TestSystem.Database.ExecuteAsync(
                            "update effects set lease_until = now() where state = 1"
                        );
                        await TestSystem.FastForwardAsync();
                    }

                    return await TestSystem.StatusAsync(killer, Step);
                },
                Is.EqualTo(StepStatus.Failed),
                "status of the killer",
                TimeSpan.FromMinutes(4)
            );
            await Eventually.That(
                () => TestSystem.Broker.CountAsync($"{Step}_error"),
                Is.GreaterThanOrEqualTo(1u),
                "dead-lettered messages"
            );
        }
        finally
        {
            await process.DisposeAsync();
        }

        Assert.That(deferrals, Is.Positive, "times that the message met its own claim");
        Assert.That(deaths, Is.InRange(PlannedDeaths, MostDeaths), "processes that died");
        Assert.That(
            await TestSystem.LastFaultAsync(killer, Step),
            Does.StartWith("PoisonMessageException").And.Contain("kills its process")
        );
        await Eventually.That(() => TestSystem.Database.CountAsync("suspects"), Is.Zero, "suspects left");
    }
}
