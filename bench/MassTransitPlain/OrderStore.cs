using Npgsql;
using NpgsqlTypes;

namespace Orders.Bench.MassTransitPlain;

/// <summary>
/// The same statements as bench/BullMq/database.js, prepared on first use, so that the table compares messaging and not
/// SQL.
/// </summary>
public sealed class OrderStore(NpgsqlDataSource database)
{
    private const string InsertOrder = """
        with o as (insert into orders (customer_name, email, premium) values ($1, $2, $3) returning id)
        insert into order_lines (order_id, sku, quantity)
        select o.id, l.sku, l.quantity from o, unnest($4::text[], $5::int[]) as l (sku, quantity)
        returning order_id
        """;

    private const string InsertEffect = "insert into effects (order_id, step) values ($1, $2) on conflict do nothing";

    // Effect row and stock in one statement, so a redelivered message moves stock once; rows locked in SKU order, so no
    // deadlocks.
    private const string Reserve = """
        with effect as (insert into effects (order_id, step) values ($1, 'inventory') on conflict do nothing
            returning order_id),
             locked as (select sku from stock where sku = any($2::text[]) and exists (select from effect) order by sku
                 for update)
        update stock s set on_hand = s.on_hand - l.quantity
        from locked join unnest($2::text[], $3::int[]) as l (sku, quantity) using (sku)
        where s.sku = locked.sku
        """;

    public async Task<long> SaveAsync(OrderRequest order, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(InsertOrder);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = order.Customer.Name });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = order.Customer.Email });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = order.Premium });
        AddLines(command, order.Lines);
        return (long)(
            await command.ExecuteScalarAsync(cancel)
            ?? throw new InvalidOperationException("the order's insert returned no id")
        );
    }

    public async Task SaveEffectAsync(long orderId, string step, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(InsertEffect);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = step });
        await command.ExecuteNonQueryAsync(cancel);
    }

    public async Task ReserveStockAsync(long orderId, OrderLine[] lines, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(Reserve);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = orderId });
        AddLines(command, lines);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static void AddLines(NpgsqlCommand command, OrderLine[] lines)
    {
        command.Parameters.Add(
            new NpgsqlParameter<string[]>
            {
                TypedValue = [.. lines.Select(l => l.Sku)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter<int[]>
            {
                TypedValue = [.. lines.Select(l => l.Quantity)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer,
            }
        );
    }
}
