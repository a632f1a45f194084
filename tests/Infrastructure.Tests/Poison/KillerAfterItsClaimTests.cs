using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>
/// A message that kills its process after it has claimed its effect: its next delivery meets its own claim and is deferred, as a new message to the broker, which counts its deliveries from nothing.
/// </summary>
public sealed class KillerAfterItsClaimTests : InASystem
{
    private const string Step = "cobra";

    // Twice among others, then twice alone: as many as a killer without a claim.
    private const int PlannedDeaths = 4;

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task A_message_that_kills_after_its_claim_is_parked_after_as_many_deaths_as_any_other()
    {
        var killer = Guid.NewGuid();
        await System.Broker.PublishToAsync(Step, new Strike(killer));

        var (deaths, deferrals) = (0, 0);
        var process = ZooProcess.Start(System, Step, ("Workers:Schedules", "false"));
        try
        {
            await Eventually.That(
                async () =>
                {
                    if (process.HasExited)
                    {
                        deaths++;
                        await process.DisposeAsync();
                        Assert.That(deaths, Is.LessThanOrEqualTo(PlannedDeaths), "processes that died");
                        process = ZooProcess.Start(System, Step, ("Workers:Schedules", "false"));
                    }

                    // Deferred until the lease of the dead run ends: nobody waits for five minutes.
                    if (await System.Database.CountAsync("outbox where exchange = $1 and due_at > now() + interval '1 minute'", Step) > 0)
                    {
                        deferrals++;
                        await System.Database.ExecuteAsync("update effects set lease_until = now() where state = 1");
                        await System.FastForwardAsync();
                    }

                    return await System.StatusAsync(killer, Step);
                },
                Is.EqualTo(StepStatus.Parked), "status of the killer", TimeSpan.FromMinutes(4));
            await Eventually.That(() => System.Broker.CountAsync($"{Step}_error"), Is.EqualTo(1u), "parked messages");
        }
        finally
        {
            await process.DisposeAsync();
        }

        Assert.That(deferrals, Is.Positive, "times that the message met its own claim");
        Assert.That(deaths, Is.EqualTo(PlannedDeaths), "processes that died");
        Assert.That(await System.LastFaultAsync(killer, Step), Does.StartWith("PoisonMessageException").And.Contain("kills its process"));
        Assert.That(await System.Database.CountAsync("suspects"), Is.Zero, "suspects left");
    }
}
