using Orders.CrashPoints.Tests.Lanes;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.CrashPoints.Tests.Faults;

/// <summary>
/// Three relays share one outbox while they are killed again and again, at moments drawn from a seed: nothing is lost.
/// </summary>
[Category("Long")]
public sealed class RelayKillTests
{
    private const int Relays = 3;
    private const int Rows = 3000;
    private const int Kills = 9;
    private const int Seed = 20261124;

    [Test]
    public async Task Rows_of_three_relays_that_are_killed_at_random_all_arrive()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        var listener = await system.Broker.ListenAsync<Born>();
        // An API without clients is a relay and nothing else. Small batches: every kill meets some under way.
        var relays = Enumerable
            .Range(0, Relays)
            .Select(_ => new HostProcess("Orders.Producer.Api", system.Settings(("Outbox:BatchSize", "20"))))
            .ToArray();
        try
        {
            foreach (var relay in relays)
                await relay.UntilReadyAsync();
            var random = new Random(Seed);
            var sent = new List<Guid>();
            for (var kill = 0; kill < Kills; kill++)
            {
                var part = Enumerable
                    .Range(0, Rows / Kills)
                    .Select(_ =>
                        OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid(), dueAt: DateTimeOffset.UtcNow)
                    )
                    .ToArray();
                sent.AddRange(part.Select(m => m.MessageId));
                await using (var connection = await system.Database.Source.OpenConnectionAsync())
                    await OutboxWriter.InsertAsync(connection, part);
                var enough = random.Next(1, part.Length);
                var before = await system.Broker.CountAsync(listener);
                await Eventually.Is(
                    async () =>
                        await system.Broker.CountAsync(listener) - before >= enough
                        || await system.Database.CountAsync("outbox") == 0,
                    "some of the rows have left"
                );
                relays[random.Next(Relays)].Kill();
            }

            await Eventually.That(
                () => system.Database.CountAsync("outbox"),
                Is.Zero,
                "rows in the outbox",
                TimeSpan.FromSeconds(60)
            );
            var arrived = (await system.Broker.TakeAllAsync(listener))
                .Select(m => Guid.Parse(m.BasicProperties.MessageId!))
                .ToArray();
            Assert.That(arrived.Distinct(), Is.EquivalentTo(sent), "messages that have arrived");
            Assert.That(
                relays.Sum(r => r.Starts),
                Is.GreaterThan(Relays),
                "starts of relays: some were killed and started again"
            );
            TestContext.Out.WriteLine($"{arrived.Length - sent.Count} of {sent.Count} came a second time.");
        }
        finally
        {
            foreach (var relay in relays)
                await relay.DisposeAsync();
        }
    }
}
