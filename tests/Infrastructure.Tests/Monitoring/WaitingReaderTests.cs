using System.Text.Json.Nodes;
using QueueWorkers.Monitoring;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Monitoring;

/// <summary>What waits in the outbox for its step, with very much of it.</summary>
public sealed class WaitingReaderTests : SystemFixture
{
    private const int Many = 100_000;

    [Test]
    public async Task A_hundred_thousand_waiting_rows_cost_what_twenty_thousand_cost()
    {
        await WaitAsync(Many / 5, "redelivery");
        await TestSystem.Database.ExecuteAsync("analyze outbox");
        var (few, _) = await PagesAsync();
        await WaitAsync(Many - (Many / 5), "redelivery");
        var (stale, _) = await PagesAsync();
        await TestSystem.Database.ExecuteAsync("analyze outbox");
        var (many, plan) = await PagesAsync();
        Assert.That(plan, Does.Contain("outbox_waiting"));
        Assert.That(plan, Does.Not.Match(@"Seq Scan.{0,80}outbox"), "the table is not read through");
        // No row's pages are visible to all yet: each counted row costs one look at its page, and no row more.
        Assert.That(few, Is.LessThan(2 * WaitingReader.MostCounted), "pages, 20,000 rows");
        Assert.That(stale, Is.LessThan(2 * WaitingReader.MostCounted), "pages, 100,000 rows, old statistics");
        Assert.That(many, Is.LessThan(2 * WaitingReader.MostCounted), "pages, 100,000 rows");

        await TestSystem.Database.ExecuteAsync("vacuum analyze outbox");
        var (vacuumed, _) = await PagesAsync();
        Assert.That(vacuumed, Is.LessThan(WaitingReader.MostCounted / 10), "pages once vacuum has been there");

        using var feed = new RelayFeed();
        var waiting = (await new WaitingReader(TestSystem.Database.Source, feed).ReadAsync(default)).Single(w =>
            w.Step == "hurried"
        );
        Assert.That(
            (waiting.Step, waiting.Cause, waiting.Count),
            Is.EqualTo(("hurried", "redelivery", (long)WaitingReader.MostCounted))
        );
        Assert.That(waiting.Since, Is.EqualTo(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_001)));
    }

    [Test]
    public async Task A_foreign_header_that_is_no_time_and_a_quarantined_row_disturb_nobody()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, attempts, due_at, dead_at)
            select gen_random_uuid(), gen_random_uuid(), 'careful', '', correlation, 'text/plain', headers, ''::bytea,
                true, 0, now() + interval '1 hour', dead_at
            from (values
                ('no id', '{"Deferred-By":"breaker","Deferred-First":"yesterday"}', null),
                (null, '{"Deferred-By":"breaker","Deferred-First":99999999999999999999}', null),
                ('x', '{"Note":"\"Deferred-By\""}', null),
                ('x', '{"Deferred-By":"breaker"}', now())) as t(correlation, headers, dead_at)
            """
        );
        using var feed = new RelayFeed();
        var waiting = (await new WaitingReader(TestSystem.Database.Source, feed).ReadAsync(default)).Where(w =>
            w.Step == "careful"
        );
        Assert.That(
            waiting.Select(w => (w.Cause, w.Count, w.Since, w.LastFault)),
            Is.EqualTo(new[] { ("breaker", 2L, (DateTimeOffset?)null, (string?)null) })
        );
    }

    private Task<int> WaitAsync(int count, string cause) =>
        TestSystem.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, attempts, due_at)
            select gen_random_uuid(), gen_random_uuid(), 'hurried', '', gen_random_uuid()::text, 'application/json',
                format('{"MT-Redelivery-Count":1,"Deferred-By":"%s","Deferred-Since":%s,"Deferred-First":%s}', $2::text,
                    1800000000000 + n, 1700000000000 + n), decode(repeat('61', 1000), 'hex'), true, 0,
                now() + interval '1 hour' + n * interval '1 millisecond'
            from generate_series(1, $1) n
            """,
            count,
            cause
        );

    private async Task<(long Pages, string Plan)> PagesAsync()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = WaitingReader.ByIndex;
        await command.ExecuteNonQueryAsync();
        command.CommandText = $"explain (analyze, buffers, format json) {WaitingReader.Look}";
        command.Parameters.Add(new() { Value = DateTime.UnixEpoch });
        command.Parameters.Add(new() { Value = WaitingReader.Causes });
        var plan = JsonNode.Parse((string)(await command.ExecuteScalarAsync())!)!.AsArray()[0]!["Plan"]!;
        return (
            plan["Shared Hit Blocks"]!.GetValue<long>() + plan["Shared Read Blocks"]!.GetValue<long>(),
            plan.ToJsonString()
                .Replace("\"Node Type\":\"Seq Scan\",\"Parallel Aware\"", "Seq Scan", StringComparison.Ordinal)
        );
    }
}
