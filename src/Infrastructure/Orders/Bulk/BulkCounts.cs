using System.Data;
using Npgsql;
using NpgsqlTypes;
using Orders.Infrastructure.Feeding;

namespace Orders.Infrastructure.Bulk;

/// <summary>How many of the orders that match a filter could be acted on, for the buttons of a page.</summary>
/// <param name="Cancellable">Orders that could be cancelled.</param>
/// <param name="Replayable">Orders for which the filter's step could be replayed; 0 without a step.</param>
/// <param name="IsMore">Whether there may be more: not all orders were looked at.</param>
public sealed record BulkCounts(long Cancellable, long Replayable, bool IsMore);

/// <summary>Counts them, with a bound on the work: a rehearsal counts exactly.</summary>
public sealed class BulkCountReader(NpgsqlDataSource database)
{
    // As far as the list of orders looks at once.
    private const int Walked = 50_000;
    private const int Counted = 10_000;

    /// <summary>Counts.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<BulkCounts> ReadAsync(OrderChoice choice, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand();
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)choice.Step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        var isRare = choice.Status is OrderStatus.NeedsAttention or OrderStatus.Rejected or OrderStatus.Cancelled;
        var times = new OrderChoice(choice.From, choice.To).Condition(command.Parameters);
        var condition = choice.Condition(command.Parameters);
        // "offset 0" keeps the planner from turning the walk round, as in the list of orders.
        var orders = isRare
            ? "orders o join order_progress p on p.order_id = o.id"
            : $"""
                (select o.* from orders o where {times} order by o.id desc limit {Walked}) o
                cross join lateral (select * from order_progress p where p.order_id = o.id offset 0) p
                """;
        var walked = isRare
            ? "0::bigint"
            : $"(select count(*) from (select from orders o where {times} order by o.id desc limit {Walked + 1}) w)";
        command.CommandText = $"""
            select count(*) filter (where not_cancelled is null) as cancellable,
                count(*) filter (where step is not null and not_replayed is null) as replayable,
                count(*) as matched,
                {walked} as walked
            from (select {ChosenOrders.WhyNotCancelled} as not_cancelled, {ChosenOrders.WhyNotReplayed} as not_replayed,
                    c.step
                from {orders} left join step_catalogue c on c.step = $1
                where {condition} limit {Counted + 1}) m
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new BulkCounts(
            Math.Min(Counted, reader.GetInt64("cancellable")),
            Math.Min(Counted, reader.GetInt64("replayable")),
            reader.GetInt64("matched") > Counted || (!isRare && reader.GetInt64("walked") > Walked)
        );
    }
}
