using System.Text.Json.Nodes;
using Npgsql;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// Somebody holds a snapshot for half an hour (a dump) while orders go on. No row that was sent or purged in this time
/// may be cleared away. The pages that each statement reads are counted, not its time.
/// </summary>
public sealed class HeldSnapshotTests : SystemFixture
{
    private const int GoneRows = 200_000;
    private static readonly TimeSpan Held = TimeSpan.FromMinutes(30);

    // Of the slack and the lease: at this rate 2,200 rows, which lie some 14 on a page, and their index entries.
    private const long MostPages = 500;

    [Test, Category("Long")]
    public async Task Looks_and_takes_read_the_rows_of_the_last_seconds_and_not_those_of_half_an_hour()
    {
        await using var dump = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var snapshot = await dump.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from outbox", dump, snapshot))
            await look.ExecuteScalarAsync();

        // As a relay leaves them: each due a lease after it was written, and deleted long before.
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts,
                due_at)
            select gen_random_uuid(), gen_random_uuid(), 'e', '', 'application/json', '{"{}"}', repeat('x', 400)::bytea,
                true, 0, now() + interval '5 seconds' - n * $1 / {GoneRows}
            from generate_series(0, {GoneRows - 1}) n
            """,
            Held
        );
        await TestSystem.Database.ExecuteAsync("delete from outbox");

        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var mark = new LowWaterMark(TimeProvider.System);
        var fromTheBeginning = await LookPagesAsync(connection, DateTimeOffset.MinValue);
        Assert.That(
            (await OutboxQueries.NextDueAsync(connection, mark, TimeSpan.FromMinutes(1), CancellationToken.None)).Next,
            Is.Null
        );
        var (looks, takes) = (
            await LookPagesAsync(connection, mark.NextLook()),
            await TakePagesAsync(connection, mark.From)
        );
        TestContext.Out.WriteLine(
            $"Pages after {GoneRows} rows had come and gone: look from the beginning {fromTheBeginning}, from the mark {looks}; take from the mark {takes}."
        );
        Assert.That(fromTheBeginning, Is.GreaterThan(10 * MostPages), "the fault: a look without a mark");
        Assert.That(looks, Is.LessThan(MostPages), "look");
        Assert.That(takes, Is.LessThan(MostPages), "take");
    }

    [Test, Category("Long")]
    public async Task A_purge_reads_the_pages_of_what_was_purged_and_nothing_twice()
    {
        const int batch = 1000;
        await TestSystem.Database.ExecuteAsync(
            $"insert into idempotency (message_id, step, at) select gen_random_uuid(), 'hurried', now() - interval '40 days' + n * interval '1 millisecond' from generate_series(1, {GoneRows}) n"
        );
        await TestSystem.Database.ExecuteAsync("vacuum analyze idempotency");
        await using var dump = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var snapshot = await dump.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from idempotency", dump, snapshot))
            await look.ExecuteScalarAsync();
        var table = await TestSystem.Database.ScalarAsync<long>(
            "select pg_relation_size('idempotency') / current_setting('block_size')::int"
        );

        // The purge before this one; then 10,000 more rows are old enough.
        await TestSystem.Database.ExecuteAsync("delete from idempotency");
        await TestSystem.Database.ExecuteAsync(
            "insert into idempotency (message_id, step, at) select gen_random_uuid(), 'hurried', now() - interval '31 days' + n * interval '1 millisecond' from generate_series(1, 10000) n"
        );
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var (pages, from) = (new List<long>(), DateTimeOffset.MinValue);
        for (var i = 0; i < 5; i++)
        {
            var plan = await PlanAsync(
                connection,
                $"""
                delete from idempotency where ctid = any (array(
                    select ctid from idempotency where at >= $1 and at < now() - interval '30 days' limit {batch}))
                """,
                from
            );
            pages.Add(plan);
            from = await TestSystem.Database.ScalarAsync<DateTime>("select min(at) from idempotency");
        }

        TestContext.Out.WriteLine(
            $"Pages of five batches after {GoneRows} rows had been purged ({table} pages): {string.Join(", ", pages)}."
        );
        // Deleting 1,000 rows touches each of them and its index entries; the first batch finds its way past the dead.
        Assert.That(pages[0], Is.LessThan(2 * table + (20 * batch)), "first batch");
        Assert.That(pages.Skip(1), Is.All.LessThan(20 * batch), "batches after it");
    }

    private static Task<long> LookPagesAsync(NpgsqlConnection connection, DateTimeOffset from) =>
        PlanAsync(connection, OutboxQueries.NextDue, from);

    private static Task<long> TakePagesAsync(NpgsqlConnection connection, DateTimeOffset from) =>
        PlanAsync(connection, OutboxQueries.Take, 500, from);

    // "analyze" carries the statement out.
    private static async Task<long> PlanAsync(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand($"explain (analyze, buffers, format json) {sql}", connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        var plan = JsonNode.Parse((string)(await command.ExecuteScalarAsync())!)![0]!["Plan"]!;
        return plan["Shared Hit Blocks"]!.GetValue<long>() + plan["Shared Read Blocks"]!.GetValue<long>();
    }
}
