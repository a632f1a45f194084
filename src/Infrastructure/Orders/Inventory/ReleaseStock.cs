using Npgsql;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Inventory;

/// <summary>Give back what was reserved for an order that was cancelled.</summary>
/// <param name="OrderId">The order.</param>
public sealed record ReleaseStock(Guid OrderId) : IStepWrite;

/// <summary>
/// Releases the stock of any number of orders in one round trip. The movements are the proof: what was reserved is
/// given back piece by piece, once per order and article.
/// </summary>
public sealed class ReleaseStockWriter : StepWriter<ReleaseStock>
{
    // Two statements of one batch: the second sees the rows as they are under the lock.
    private static readonly string Lock = $"""
        select from stock where sku = any(array(select distinct sku from stock_movements
            where order_id = any($1) and kind = {MovementKind.Reservation:D})) order by sku for update
        """;

    private static readonly string Release = $"""
        with released as (
            insert into stock_movements (order_id, sku, kind, quantity)
            select order_id, sku, 1, -quantity from stock_movements
                where order_id = any($1) and kind = {MovementKind.Reservation:D}
            on conflict do nothing returning sku, quantity)
        update stock s set on_hand = s.on_hand + r.quantity
            from (select sku, sum(quantity)::integer as quantity from released group by sku) r where s.sku = r.sku
        """;

    /// <inheritdoc />
    /// <remarks>
    /// Right after the reservations of the same batch, which lock other rows of the same table: two processes can meet
    /// crosswise here. PostgreSQL then undoes one of the two (40P01), and its batch is written again in halves.
    /// </remarks>
    public override int LockOrder => 11;

    /// <inheritdoc />
    protected override async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(StepRun Run, ReleaseStock Write)> runs
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[Lock, Release])
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.Write.OrderId)] },
                    },
                }
            );
        Failpoint.Hit("inventory.before_release", Outside.Database);
        await batch.ExecuteNonQueryAsync();
        Failpoint.Hit("inventory.after_release", Outside.Database);
    }
}
