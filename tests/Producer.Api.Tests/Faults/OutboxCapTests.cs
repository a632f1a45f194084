using Orders.Infrastructure.Orders.Reading;

namespace Orders.Producer.Api.Tests.Faults;

internal sealed class OutboxCapTests : InAnApi
{
    protected override IEnumerable<(string Name, string Value)> Settings => [("Outbox:MaxRows", "1000")];

    [Test]
    public async Task Delayed_and_quarantined_rows_do_not_count()
    {
        await Database.ExecuteAsync("""
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts, due_at, dead_at)
            select gen_random_uuid(), gen_random_uuid(), 'x', '', 'x', '{}', '', true, 0, now() + case when n % 2 = 0 then interval '1 hour' else interval '0' end, case when n % 2 = 1 then now() end
            from generate_series(1, 2000) as n
            """);
        await Database.ExecuteAsync("analyze outbox");
        await Eventually.That(() => Database.ScalarAsync<long>("select n_live_tup from pg_stat_user_tables where relname = 'outbox'"), Is.GreaterThanOrEqualTo(2000), "rows in the statistics");

        Assert.That(await new OutboxBacklogReader(Database.Source).WaitingAsync(1000, CancellationToken.None), Is.Zero, "waiting rows, with a thousand delayed and a thousand quarantined ones");
        await Database.ExecuteAsync("delete from outbox where due_at > now() + interval '30 minutes' or dead_at is not null");
        await Database.ExecuteAsync("analyze outbox");
    }

    [Test]
    public async Task A_full_outbox_refuses_orders_until_it_is_drained()
    {
        await Database.ExecuteAsync("""
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts)
            select gen_random_uuid(), gen_random_uuid(), 'x', '', 'x', '{}', '', true, 0 from generate_series(1, 1000)
            """);
        await Database.ExecuteAsync("analyze outbox");
        var refused = await Eventually.That(() => PostAsync(SampleOrder.Text), Has.Property(nameof(Answer.Status)).EqualTo(503), "posting with a full outbox");
        Assert.That((refused.Code, refused.Headers["Retry-After"]), Is.EqualTo(("outbox-full", "10")));
        Assert.That((await GetAsync("/health/ready")).Status, Is.EqualTo(200), "reading goes on");

        await Database.ExecuteAsync("delete from outbox");
        await Database.ExecuteAsync("analyze outbox");
        await Eventually.That(async () => (await PostAsync(SampleOrder.Text)).Status, Is.EqualTo(202), "posting with a drained outbox");
    }
}
