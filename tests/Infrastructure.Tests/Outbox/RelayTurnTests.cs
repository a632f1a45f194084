using Npgsql;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Who may take due rows: a few relays of all at a time. No host runs here, so nobody else takes any.</summary>
public sealed class RelayTurnTests : SystemFixture
{
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
                taken.Add((await OutboxQueries.TakeAsync(connection, 10, CancellationToken.None)).Count);
            Assert.That(taken, Is.EqualTo(Enumerable.Repeat(10, OutboxQueries.Takers).Concat([0, 0])));

            // One dies: its rows and its turn are free.
            await relays[1].Connection.CloseAsync();
            var heir = relays[^1];
            await heir.Transaction.RollbackAsync();
            await using var again = await heir.Connection.BeginTransactionAsync();
            Assert.That(
                await OutboxQueries.TakeAsync(heir.Connection, 200, CancellationToken.None),
                Has.Count.EqualTo(200 - (10 * (OutboxQueries.Takers - 1)))
            );
        }
        finally
        {
            foreach (var (connection, _) in relays)
                await connection.DisposeAsync();
        }
    }
}
