namespace Orders.Bench.Load.Systems;

/// <summary>How a system's tables tell what has been done. Each query returns one value.</summary>
/// <param name="Count">bigint: all effects.</param>
/// <param name="LastAt">timestamptz: when the last effect was written.</param>
/// <param name="CountOfOrder">bigint: the effects of the order whose id, as text, is $1.</param>
/// <param name="OrdersWithoutExactlyFour">bigint: orders that do not have exactly one effect of each of the four
/// steps.</param>
/// <param name="StockMoved">bigint: units taken out of stock since the seeding.</param>
/// <param name="UnitsOrdered">bigint: units on all order lines. Equal to the units moved when every order moved its
/// stock once.</param>
/// <param name="LeftBehind">bigint: messages that are stored and not sent when all is done: work put off, or
/// quarantined.</param>
/// <param name="Analyze">Statements that refresh the planner's statistics.</param>
public sealed record EffectQueries(
    string Count,
    string LastAt,
    string CountOfOrder,
    string OrdersWithoutExactlyFour,
    string StockMoved,
    string UnitsOrdered,
    string LeftBehind = "select 0::bigint",
    string Analyze = "analyze"
)
{
    /// <summary>For the tables in comparators.sql.</summary>
    public static EffectQueries Comparators { get; } =
        new(
            "select count(*) from effects",
            "select max(at) from effects",
            "select count(*) from effects where order_id = $1::bigint",
            """
            select count(*) from (
                select o.id from orders o left join effects e on e.order_id = o.id
                group by o.id
                having count(distinct e.step) filter (where e.step in ('email', 'inventory', 'invoice', 'warehouse')) <>
                    4 or count(e.step) <> 4) wrong
            """,
            "select sum(1000000 - on_hand)::bigint from stock",
            "select sum(quantity)::bigint from order_lines"
        );

    /// <summary>
    /// The same for the orders from now on, found through the keys: version 7 UUIDs sort by time, so a table with
    /// millions of older orders is not read each time.
    /// </summary>
    public static EffectQueries OrdersFromNow()
    {
        var first = Guid.CreateVersion7();
        return Orders with
        {
            Count = $"select count(*) from effects where state = 2 and subject_id > '{first}'",
            LastAt = $"select max(at) from effects where state = 2 and subject_id > '{first}'",
        };
    }

    /// <summary>For the tables of Orders. An order has to be completed too.</summary>
    public static EffectQueries Orders { get; } =
        new(
            "select count(*) from effects where state = 2",
            "select max(at) from effects where state = 2",
            "select count(*) from effects where state = 2 and subject_id = $1::uuid",
            """
            select count(*) from (
                select o.id from orders o join order_progress p on p.order_id = o.id
                    left join effects e on e.subject_id = o.id
                group by o.id, p.status
                having count(*) filter (where e.effect in ('email', 'inventory', 'invoice', 'warehouse')
                    and e.state = 2) <> 4 or count(e.effect) <> 4 or p.status <> 2) wrong
            """,
            "select sum(initial - on_hand)::bigint from stock",
            "select sum(quantity)::bigint from order_lines",
            "select count(*) from outbox"
        );
}
