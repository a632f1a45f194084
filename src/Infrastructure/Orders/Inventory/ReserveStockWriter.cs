using Npgsql;
using NpgsqlTypes;
using Orders.Contracts;
using QueueWorkers.Clocks;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Inventory;

/// <summary>
/// Reserves the stock of any number of orders in two round trips: one reads their lines and locks the stock rows, one
/// writes what was decided in between.
/// The rows are locked in SKU order by every process, so two of them can wait for each other, but never in a circle;
/// the lock ends with the step's commit, in which the movements, the effects and the events stand or fall together.
/// </summary>
public sealed class ReserveStockWriter : StepWriter<ReserveStock>
{
    // LockRows sits above the sort: the rows are locked one after the other in that order, and a row that another
    // transaction has just changed is returned in its new version, so the decision below is made on what really is
    // there.
    private const string Lock = """
        with lines as materialized (
            select order_id, line, sku, quantity from order_lines where order_id = any($1)),
        locked as materialized (
            select sku, on_hand from stock where sku = any(array(select distinct sku from lines)) order by sku
                for update)
        select l.order_id, l.sku, l.quantity, s.on_hand from lines l left join locked s using (sku)
            order by l.order_id, l.line
        """;

    private const string Move = """
        with moved as (
            insert into stock_movements (order_id, sku, quantity) select t.order_id, t.sku, -t.quantity
                from unnest($1::uuid[], $2::text[], $3::integer[]) as t(order_id, sku, quantity))
        update stock set on_hand = on_hand - t.quantity from unnest($4::text[], $5::integer[]) as t(sku, quantity)
            where stock.sku = t.sku
        """;

    // One order is decided on once; two copies of its message in one batch are not two rows.
    private const string Keep = """
        insert into order_shortages (order_id, sku, requested, available)
        select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::integer[]) on conflict do nothing
        """;

    /// <inheritdoc />
    public override int LockOrder => 10;

    /// <inheritdoc />
    protected override async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(StepRun Run, ReserveStock Write)> runs
    )
    {
        var (lines, onHand) = await LockAsync(connection, [.. runs.Select(r => r.Write.OrderId).Distinct()]);
        var decision = new StockDecision(onHand);
        var now = DatabaseClock.UtcNow;
        var refused = new List<(Guid OrderId, StockShortage Shortage)>();
        foreach (var (run, write) in runs)
        {
            // Cannot come out of the API (order and lines are one statement). Nothing to reserve is not a reservation:
            // an operator has to look.
            if (!lines.TryGetValue(write.OrderId, out var ordered))
                throw new PermanentFaultException(
                    $"Expected lines of order {write.OrderId} in the database, found none. Was the database restored from an older backup? Then discard the message."
                );

            var shortages = decision.Take(write.OrderId, ordered);
            if (shortages.Count == 0)
            {
                run.Publish(new StockReserved(write.OrderId, now));
            }
            else
            {
                run.Publish(new StockRejected(write.OrderId, shortages, now));
                run.Reject(Describe(shortages));
                refused.AddRange(shortages.Select(s => (write.OrderId, s)));
            }
        }

        if (decision.Movements.Count > 0)
            await MoveAsync(connection, decision);
        if (refused.Count > 0)
            await KeepAsync(connection, refused);
    }

    private static async Task<(
        Dictionary<Guid, List<(string Sku, int Quantity)>> Lines,
        Dictionary<string, int> OnHand
    )> LockAsync(NpgsqlConnection connection, Guid[] orders)
    {
        await using var command = new NpgsqlCommand(Lock, connection)
        {
            Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = orders } },
        };
        var lines = new Dictionary<Guid, List<(string, int)>>(orders.Length);
        var onHand = new Dictionary<string, int>(StringComparer.Ordinal);
        Failpoint.Hit("inventory.before_lock", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var (order, sku) = (reader.GetGuid(0), reader.GetString(1));
            if (!lines.TryGetValue(order, out var ordered))
                lines[order] = ordered = [];
            ordered.Add((sku, reader.GetInt32(2)));
            if (!reader.IsDBNull(3))
                onHand[sku] = reader.GetInt32(3);
        }

        return (lines, onHand);
    }

    private static async Task MoveAsync(NpgsqlConnection connection, StockDecision decision)
    {
        await using var command = new NpgsqlCommand(Move, connection);
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. decision.Movements.Select(m => m.OrderId)] });
        p.Add(
            new NpgsqlParameter<string[]>
            {
                TypedValue = [.. decision.Movements.Select(m => m.Sku)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            }
        );
        p.Add(new NpgsqlParameter<int[]> { TypedValue = [.. decision.Movements.Select(m => m.Quantity)] });
        p.Add(
            new NpgsqlParameter<string[]>
            {
                TypedValue = [.. decision.Taken.Keys],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            }
        );
        p.Add(new NpgsqlParameter<int[]> { TypedValue = [.. decision.Taken.Values] });
        Failpoint.Hit("inventory.before_move", Outside.Database);
        var updated = await command.ExecuteNonQueryAsync();
        Failpoint.Hit("inventory.after_move", Outside.Database);
        // Less would mean a movement without its stock: the exception undoes the transaction.
        if (updated != decision.Taken.Count)
            throw new InvalidOperationException(
                $"Expected to update {decision.Taken.Count} stock rows, updated {updated}; the reservation was rolled back."
            );
    }

    private static async Task KeepAsync(
        NpgsqlConnection connection,
        List<(Guid OrderId, StockShortage Shortage)> refused
    )
    {
        await using var command = new NpgsqlCommand(Keep, connection);
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. refused.Select(r => r.OrderId)] });
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. refused.Select(r => r.Shortage.Sku)] });
        p.Add(new NpgsqlParameter<int[]> { TypedValue = [.. refused.Select(r => r.Shortage.Requested)] });
        p.Add(new NpgsqlParameter<int[]> { TypedValue = [.. refused.Select(r => r.Shortage.Available)] });
        Failpoint.Hit("inventory.before_keep_shortages", Outside.Database);
        await command.ExecuteNonQueryAsync();
        Failpoint.Hit("inventory.after_keep_shortages", Outside.Database);
    }

    private static string Describe(IReadOnlyList<StockShortage> shortages) =>
        "Not enough stock: "
        + string.Join(", ", shortages.Take(5).Select(s => $"{s.Sku} {s.Requested} ordered, {s.Available} on hand"))
        + (shortages.Count > 5 ? ", …" : ".");
}
