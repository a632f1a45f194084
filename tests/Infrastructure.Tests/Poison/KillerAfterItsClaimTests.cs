using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>
/// A message that kills its process after it has claimed its effect: its next delivery meets its own claim and is
/// deferred, as a new message to the broker, which counts its deliveries from nothing. A relay that dies between the
/// publishing and the deletion of such a row sends it twice.
/// </summary>
public sealed class KillerAfterItsClaimTests : SystemFixture
{
    private const string Step = "cobra";

    // Twice among others, then twice alone: as many as a killer without a claim.
    private const int PlannedDeaths = 4;

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task A_message_that_kills_after_its_claim_is_dead_lettered_after_as_many_deaths_as_any_other()
    {
        var (killer, id) = (Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Broker.PublishToAsync(Step, new Strike(killer), new ByHand { Id = id });

        var deaths = await LetItKillAsync(killer, id, relay: null);

        Assert.That(deaths, Is.EqualTo(PlannedDeaths), "processes that died");
        Assert.That(
            await TestSystem.LastFaultAsync(killer, Step),
            Does.StartWith("PoisonMessageException").And.Contain("kills its process")
        );
    }

    [Test, Category("Long")]
    public async Task A_relay_that_dies_between_publishing_and_deleting_a_deferred_killer_costs_no_further_death()
    {
        var (killer, id) = (Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Broker.PublishToAsync(Step, new Strike(killer), new ByHand { Id = id });

        // Only this process sends rows.
        await using (var relay = new MortalRelay(TestSystem))
        {
            var deaths = await LetItKillAsync(killer, id, relay);
            Assert.That(deaths, Is.EqualTo(PlannedDeaths), "processes that died of the message");
            Assert.That(relay.HasDied, "the relay died after it had sent the message");
        }

        // And a copy that was never lost itself, when a new process knows of the killer only from the database.
        var deadLettered = await TestSystem.Broker.CountAsync($"{Step}_error");
        await using var process = ZooProcess.Start(TestSystem, Step, ("Workers:Schedules", "false"));
        await TestSystem.Broker.PublishToAsync(Step, new Strike(killer), new ByHand { Id = id });
        await Eventually.That(
            () => process.Output,
            Does.Contain($"was dropped: {Step}, message {id}"),
            "what the process says",
            TimeSpan.FromSeconds(30)
        );
        Assert.That(process.HasExited, Is.False, "the copy has killed the process");
        Assert.That(
            await TestSystem.Broker.CountAsync($"{Step}_error"),
            Is.EqualTo(deadLettered),
            "dead-lettered messages"
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("duplicates where message_id = $1", id),
            Is.Positive,
            "evidence of the copies"
        );
    }

    // Starts the process again each time, as compose does, until the killer is dead-lettered and no copy is left.
    private async Task<int> LetItKillAsync(Guid killer, Guid id, MortalRelay? relay)
    {
        var deadLettered = await TestSystem.Broker.CountAsync($"{Step}_error");
        var (deaths, deferrals) = (0, 0);
        var ended = new List<string>();
        var process = Start(relay);
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
                            Is.LessThanOrEqualTo(PlannedDeaths),
                            () => $"processes that died:\n{string.Join("\n---\n", ended)}"
                        );
                        process = Start(relay);
                    }

                    if (relay is not null)
                        await relay.RestartIfDeadAsync();
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
                            $"update effects set lease_until = now() where state = {EffectState.Pending:D}"
                        );
                        await TestSystem.FastForwardAsync();
                    }

                    return await TestSystem.StatusAsync(killer, Step) == StepStatus.Failed
                        && await TestSystem.Database.CountAsync("outbox where dead_at is null") == 0
                        && await TestSystem.Database.CountAsync(
                            "suspects where message_id = $1 and dead_lettered_at is not null",
                            id
                        ) == 1
                        && await TestSystem.Broker.CountAsync(Step) == 0;
                },
                Is.True,
                "the killer is dead-lettered and nothing of it is under way",
                TimeSpan.FromMinutes(4)
            );
            // Copies that a process has in hand go back to the queue, or are settled: while some went back, the next
            // process settles them.
            await Eventually.Is(
                async () =>
                {
                    await UntilNoneWaitsAsync();
                    Assert.That(process.HasExited, Is.False, () => $"a copy has killed a process:\n{process.Output}");
                    await process.TerminateAsync();
                    if (await TestSystem.Broker.CountAsync(Step) == 0 && await WaitingAsync() == 0)
                        return true;
                    await process.DisposeAsync();
                    process = Start(relay);
                    return false;
                },
                "no copy is left",
                TimeSpan.FromMinutes(1)
            );
            await Eventually.That(
                () => TestSystem.Broker.CountAsync($"{Step}_error"),
                Is.EqualTo(deadLettered + 1),
                "dead-lettered messages"
            );
        }
        finally
        {
            await process.DisposeAsync();
        }

        Assert.That(deferrals, Is.Positive, "times that the message met its own claim");
        return deaths;
    }

    private async Task UntilNoneWaitsAsync() =>
        await Eventually.Is(
            async () => await TestSystem.Broker.CountAsync(Step) == 0 && await WaitingAsync() == 0,
            "no copy waits in the queue or in the outbox"
        );

    private Task<long> WaitingAsync() => TestSystem.Database.CountAsync("outbox where dead_at is null");

    private ZooProcess Start(MortalRelay? relay) =>
        ZooProcess.Start(
            TestSystem,
            Step,
            ("Workers:Schedules", "false"),
            ("Outbox:Relay", relay is null ? "true" : "false")
        );

    /// <summary>
    /// A process that sends outbox rows and runs no message of the killer's step. It dies once, when the broker has
    /// confirmed a row that is not deleted yet.
    /// </summary>
    private sealed class MortalRelay(OrdersSystem system) : IAsyncDisposable
    {
        private ZooProcess _process = Start(system, "relay.after_poll_confirm=kill@1");

        public bool HasDied { get; private set; }

        public async Task RestartIfDeadAsync()
        {
            if (HasDied || !_process.HasExited)
                return;
            await _process.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.That(_process.Output, Does.Contain("failpoint fired: relay.after_poll_confirm"));
            await _process.DisposeAsync();
            HasDied = true;
            _process = Start(system, "");
        }

        public ValueTask DisposeAsync() => _process.DisposeAsync();

        private static ZooProcess Start(OrdersSystem system, string failpoints) =>
            ZooProcess.Start(system, "clock", ("Workers:Schedules", "false"), ("FAILPOINTS", failpoints));
    }
}
