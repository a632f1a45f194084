using System.Text.Json.Nodes;
using Npgsql;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// Somebody holds an old snapshot open (a report, a forgotten session, a backup), so that no dead row may be cleared
/// away. What the poller reads must not grow with all the rows that have come and gone since. Timed by the server
/// itself.
/// </summary>
public sealed class BlockedVacuumTests : SystemFixture
{
    // Five minutes at 67 messages a second, all of which took the longest way.
    private const int GoneRows = 20_000;
    private static readonly TimeSpan SlowestPoll = TimeSpan.FromMilliseconds(20);

    [Test]
    public async Task A_poll_stays_cheap_while_vacuum_is_blocked()
    {
        await using var report = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var snapshot = await report.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from outbox", report, snapshot))
            await look.ExecuteScalarAsync();

        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        for (var i = 0; i < GoneRows / 1000; i++)
        {
            await OutboxWriter.InsertAsync(
                connection,
                [
                    .. Enumerable
                        .Range(0, 1000)
                        .Select(_ =>
                            OutgoingMessage.Create(
                                new Born(Guid.NewGuid()),
                                Guid.NewGuid(),
                                dueAt: DateTimeOffset.UtcNow
                            )
                        ),
                ]
            );
            await using var transaction = await connection.BeginTransactionAsync();
            Assert.That(
                await OutboxQueries.TakeAsync(connection, 1000, DateTimeOffset.MinValue, CancellationToken.None),
                Has.Count.EqualTo(1000)
            );
            await transaction.CommitAsync();
        }

        var polls = new List<(long Pages, TimeSpan Time)>();
        for (var i = 0; i < 20; i++)
            polls.Add(await PollAsync(connection));
        var quickest = polls.Min(s => s.Time);
        TestContext.Out.WriteLine(
            $"{polls[0].Pages} pages and {quickest.TotalMilliseconds:0.0} ms for a poller after {GoneRows} rows had come and gone."
        );
        // The quickest of twenty: what the work takes, without what other tests took of the processor meanwhile.
        Assert.That(quickest, Is.LessThan(SlowestPoll));
    }

    private static async Task<(long Pages, TimeSpan Time)> PollAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            explain (analyze, buffers, format json)
            select id from outbox where dead_at is null and due_at <= now() order by due_at limit 500
                for update skip locked
            """,
            connection
        );
        var poll = JsonNode.Parse((string)(await command.ExecuteScalarAsync())!)![0]!;
        var plan = poll["Plan"]!;
        return (
            plan["Shared Hit Blocks"]!.GetValue<long>() + plan["Shared Read Blocks"]!.GetValue<long>(),
            TimeSpan.FromMilliseconds(poll["Execution Time"]!.GetValue<double>())
        );
    }
}
