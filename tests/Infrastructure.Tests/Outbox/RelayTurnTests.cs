using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Who may take due rows: a few relays of all at a time, and none for long.</summary>
public sealed class RelayTurnTests : SystemFixture
{
    [SetUp]
    public Task Empty() => TestSystem.Database.ExecuteAsync("delete from outbox");

    [Test]
    public async Task Of_many_relays_a_few_take_rows_and_another_may_as_soon_as_one_of_them_has_ended()
    {
        var rows = Enumerable
            .Range(0, 200)
            .Select(_ => OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: DateTimeOffset.UtcNow))
            .ToArray();
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await OutboxWriter.InsertAsync(connection, rows);
        var relays = new List<(NpgsqlConnection Connection, NpgsqlTransaction Transaction)>();
        try
        {
            for (var i = 0; i < OutboxQueries.Takers + 2; i++)
            {
                var connection = await TestSystem.Database.Source.OpenConnectionAsync();
                relays.Add((connection, await connection.BeginTransactionAsync()));
            }

            var taken = new List<int>();
            foreach (var (connection, _) in relays)
                taken.Add(
                    (
                        await OutboxQueries.TakeAsync(connection, 10, DateTimeOffset.MinValue, CancellationToken.None)
                    ).Count
                );
            Assert.That(taken, Is.EqualTo(Enumerable.Repeat(10, OutboxQueries.Takers).Concat([0, 0])));

            // One dies: its rows and its turn are free.
            await relays[1].Connection.CloseAsync();
            var heir = relays[^1];
            await heir.Transaction.RollbackAsync();
            await using var again = await heir.Connection.BeginTransactionAsync();
            Assert.That(
                await OutboxQueries.TakeAsync(heir.Connection, 200, DateTimeOffset.MinValue, CancellationToken.None),
                Has.Count.EqualTo(200 - (10 * (OutboxQueries.Takers - 1)))
            );
        }
        finally
        {
            foreach (var (connection, _) in relays)
                await connection.DisposeAsync();
        }
    }

    [Test]
    public async Task A_relay_whose_broker_falls_silent_gives_rows_and_turn_back_after_the_confirm_timeout()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        await using var host = await TestSystem.StartAsync(
            "",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}")
        );
        await TestSystem.Broker.ListenAsync<Fed>();
        // With this one the poller has opened its channel, and is silenced with rows in its hands.
        await InsertDueAsync();
        await Eventually.That(() => TestSystem.Database.CountAsync("outbox"), Is.Zero, "rows");
        network.Silence();
        await InsertDueAsync();

        // The client closes a channel within 20 s, and gives the connection up after about as long.
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where last_error like '%did not confirm%'"),
            Is.EqualTo(1),
            "rows that were given back",
            TimeSpan.FromSeconds(15)
        );
        network.Cut();
        await host.StopAsync();
    }

    [Test]
    public async Task Confirmed_rows_are_deleted_although_a_stalled_relay_holds_one_of_them()
    {
        var rows = Enumerable
            .Range(0, 3)
            .Select(_ =>
                OutgoingMessage.Create(
                    new Fed(Guid.NewGuid()),
                    Guid.NewGuid(),
                    dueAt: DateTimeOffset.UtcNow.AddHours(1)
                )
            )
            .ToArray();
        await using var stalled = await TestSystem.Database.Source.OpenConnectionAsync();
        await OutboxWriter.InsertAsync(stalled, rows);
        Guid[] ids = [.. rows.Select(r => r.Id)];
        await using var transaction = await stalled.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("select from outbox where id = $1 for update", stalled))
        {
            hold.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = ids[1] });
            await hold.ExecuteNonQueryAsync();
        }

        await OutboxQueries.DeleteAsync(TestSystem.Database.Source, ids, CancellationToken.None);

        await transaction.RollbackAsync();
        Assert.That(
            await TestSystem.Database.ScalarAsync<Guid>("select id from outbox where id = any($1)", ids),
            Is.EqualTo(ids[1]),
            "the row that was held"
        );
        Assert.That(await TestSystem.Database.CountAsync("outbox where id = any($1)", ids), Is.EqualTo(1));
    }

    private async Task InsertDueAsync()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await OutboxWriter.InsertAsync(
            connection,
            [OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: DateTimeOffset.UtcNow)]
        );
    }
}
