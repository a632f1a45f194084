namespace Orders.Bench.Load.Systems;

/// <summary>
/// Rows as a long time of work would have left them, made in one statement per table; the first parameter of each is
/// how many.
/// </summary>
public static class Seeding
{
    /// <summary>Messages that are due in a week: redeliveries, releases.</summary>
    public static IReadOnlyList<string> WaitingMessages { get; } =
    [
        """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, due_at, attempts)
            select id, id, 'email', '', id::text, 'application/vnd.masstransit+json', '{}',
                convert_to(rpad('{"message":"', 400, 'x'), 'UTF8'), true,
                now() + interval '7 days' + n * interval '1 millisecond', 0
            from (select n, uuidv7(interval '-1 day') as id from generate_series(1, $1) n) ids
            """,
    ];

    /// <summary>
    /// Orders with everything that is kept for ever: lines, progress, effects, steps, movements. Idempotency rows are
    /// purged.
    /// </summary>
    public static IReadOnlyList<string> FinishedOrders { get; } =
    [
        """
            insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, ship_line1,
                ship_city, ship_postal_code, ship_country, created_at)
            select uuidv7(interval '-2 days' + n * interval '10 milliseconds'), 'bench', 'Customer ' || n,
                'customer-' || n || '@example.com', 'EUR', 29.70, false, 'Hafenstr. 1', 'Hamburg', '20457', 'DE',
                now() - interval '2 days'
            from generate_series(1, $1) n
            """,
        "insert into order_lines (order_id, line, sku, name, quantity, unit_price, total) select id, 0, 'SKU-0001', 'Article 1', 3, 9.90, 29.70 from orders where client_id = 'bench' limit $1",
        """
            insert into order_progress (order_id, required, done, failed, completed_at)
            select id, (select bit_or(bit) from step_catalogue), (select bit_or(bit) from step_catalogue), 0,
                now() - interval '2 days' from orders where client_id = 'bench' limit $1
            """,
        "insert into effects (subject_id, effect, message_id, step, state, at) select o.id, s.step, o.id, s.step, 2, now() - interval '2 days' from (select id from orders where client_id = 'bench' limit $1) o, step_catalogue s",
        """
            insert into step_runs (subject_id, step, status, attempts, started_at, finished_at)
            select o.id, s.step, 2, 1, now() - interval '2 days', now() - interval '2 days'
                from (select id from orders where client_id = 'bench' limit $1) o, step_catalogue s
            """,
        "insert into stock_movements (order_id, sku, quantity, at) select id, 'SKU-0001', -3, now() - interval '2 days' from orders where client_id = 'bench' limit $1",
        "vacuum (analyze)",
    ];
}
