using Orders.Testing.Servers;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>Rows to look at: orders in every state, failed attempts, an outbox with every part.</summary>
internal static class SampleData
{
    /// <summary>What a hostile client would like an operator's browser to run.</summary>
    public const string Hostile = "<svg onload=\"window.hostile=1\"><script>window.hostile=1</script>";

    /// <summary>Writes orders, one a second back from now, with what their steps did. Every 10th is parked, every 37th refused, every 5th of the newest 100 under way.</summary>
    public static Task OrdersAsync(TestDatabase database, int count) => database.ExecuteAsync("""
        with numbers as (select n, now() - n * interval '1 second' as at from generate_series(1, $1) n),
        made as (
            insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, notes, ship_line1, ship_city, ship_postal_code, ship_country, created_at)
            select uuidv7(-n * interval '1 second'), 'demo', $2, 'zoe@example.com', 'EUR', 10 + n % 90, n % 9 = 0, $2, 'Hafenstr. 1', 'Hamburg', '20457', 'DE', at from numbers
            returning id, created_at, number),
        bits as (select bit_or(bit) as whole from step_catalogue where active),
        progress as (
            insert into order_progress (order_id, required, done, parked, rejected_at, completed_at)
            select id, whole, case when number % 10 = 0 then whole & ~1 when number % 5 = 1 and number < 100 then 0 else whole end, case when number % 10 = 0 then 1 else 0 end,
                   case when number % 37 = 0 then created_at + interval '1 second' end, case when number % 10 <> 0 and not (number % 5 = 1 and number < 100) then created_at + interval '900 ms' end
            from made, bits),
        lines as (
            insert into order_lines (order_id, line, sku, name, quantity, unit_price, total) select id, 0, 'MUG-BLUE', 'Mug, blue', 2, 9.90, 19.80 from made),
        runs as (
            insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, last_fault)
            select id, step, case when bit = 1 and number % 10 = 0 then 4 else 2 end, case when bit = 1 and number % 10 = 0 then 3 else 1 end, created_at + position * interval '80 ms' + interval '30 ms',
                   created_at + position * interval '80 ms' + (60 + number % 400) * interval '1 ms' + case when bit = 1 and number % 10 = 0 then interval '6 seconds' else interval '0' end,
                   case when bit = 1 and number % 10 = 0 then 'SmtpCommandException: 550 no such mailbox ' || $2 end
            from made, step_catalogue where active and not (number % 5 = 1 and number < 100))
        insert into step_attempts (subject_id, step, started_at, ended_at, attempt, next_at, fault, host)
        select id, step, created_at + interval '30 ms' + (a - 1) * interval '3 seconds', created_at + interval '130 ms' + (a - 1) * interval '3 seconds', a,
               case when a < 3 then created_at + interval '30 ms' + a * interval '3 seconds' end, 'SmtpCommandException: 550 no such mailbox ' || $2, 'worker-1'
        from made, step_catalogue, generate_series(1, 3) a where bit = 1 and number % 10 = 0
        """, count, Hostile);

    /// <summary>Writes effects, messages that are late, delayed and quarantined, and a history.</summary>
    public static async Task RestAsync(TestDatabase database)
    {
        await database.ExecuteAsync("""
            insert into effects (subject_id, effect, message_id, step, state, reference) select subject_id, step, gen_random_uuid(), step, 2, $1 from step_runs where status = 2 limit 400
            """, Hostile);
        await database.ExecuteAsync("""
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body, mandatory, attempts, last_error, due_at, dead_at)
            select gen_random_uuid(), gen_random_uuid(), 'Orders.Contracts:OrderAccepted', '', (select id::text from orders order by id desc offset n % 50 limit 1), 'application/json', '{}', ''::bytea, true, n % 4,
                   case when n % 4 > 0 then 'NO_ROUTE ' || $1 end, case when n % 3 = 1 then now() + interval '1 hour' + n * interval '1 second' else now() - n * interval '1 second' end, case when n % 3 = 2 then now() - n * interval '1 minute' end
            from generate_series(1, 240) n
            """, Hostile);
        await database.ExecuteAsync("""
            insert into step_history (seconds, begins, step, done, failed, parked, run, wait)
            select s, date_trunc(case s when 60 then 'minute' else 'hour' end, now()) - n * s * interval '1 second', step, s * 40 + (n * 7) % 300, n % 9, n % 4,
                   array(select case when i between 20 and 34 then 20 + (i * n) % 60 else 0 end from generate_series(0, 95) i), array(select case when i between 12 and 30 then 20 + (i * n) % 50 else 0 end from generate_series(0, 95) i)
            from unnest(array[60, 3600]) s, generate_series(1, 350) n, step_catalogue
            on conflict do nothing
            """);
    }

    /// <summary>The newest order that is parked.</summary>
    public static Task<Guid> ParkedOrderAsync(TestDatabase database) =>
        FindAsync(database, "select order_id from order_progress where parked <> 0 order by order_id desc limit 1");

    private static async Task<Guid> FindAsync(TestDatabase database, string sql) => (Guid)(await database.RowsAsync(sql))[0][0]!;
}
