using QueueWorkers.Steps;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// The statements of <see cref="OrderAging"/>. Their cost follows the orders of one look and not the backlog, whatever
/// the statistics say: rows are fetched by key from subqueries that the planner cannot turn into joins ("offset 0",
/// scalar ones), for in an overload tables grow faster than they are analyzed.
/// </summary>
internal static class AgingQueries
{
    /// <summary>Most copies of one look.</summary>
    // More in one look would make the premium class a crowd itself. Who has to stand back is looked at again at the
    // next of the ages.
    internal const int Most = 200;

    // Premium orders that are looked at, the oldest first, for one that a step has done. Priority is strict, so it is
    // among the first; behind a thousand of which a step has done none, a normal order waits for them as they do.
    internal const int MostPremium = 1000;

    // Normal orders between two ages that may still have something to do, dead-lettered ones too (they may be sent
    // again): by id, and those the clock released by that time.
    private const string Unfinished = """
        (select o.id, o.premium, o.created_at, o.customer_email from orders o
                where o.id >= $1 and o.id < $2 and o.release_at is null and not o.premium
            union all
            select o.id, o.premium, o.created_at, o.customer_email from orders o
                where o.release_at >= $3 and o.release_at < $4 and not o.premium) o
        cross join lateral (
            select p.required, p.done, p.failed, p.completed_at, p.rejected_at from order_progress p
            where p.order_id = o.id and p.completed_at is null and p.rejected_at is null and p.cancelled_at is null
            offset 0) p
        """;

    /// <summary>Whether there is any such order.</summary>
    internal const string AnyUnfinished = $"select exists (select from {Unfinished})";

    /// <summary>
    /// For the rest of the transaction. With statistics from before the first premium orders the planner expects one row
    /// and may collect all of the last minutes by a bitmap in order to sort them.
    /// </summary>
    internal const string ByIndexOnly = "set local enable_bitmapscan = off";

    /// <summary>
    /// The first premium order accepted between two ids, if any: without one nobody was overtaken. One that waits for a
    /// time of its own is not done before it, and would hide those that are. In the order of the index, or the planner
    /// would look for any of them in the whole table.
    /// </summary>
    internal const string FirstPremium =
        "select id from orders where premium and release_at is null and id >= $1 and id < $2 order by id limit 1";

    /// <summary>The overtaken orders, the oldest first, with the steps that have not begun.</summary>
    internal static readonly string Overtaken = $"""
        with younger as materialized (
            select id from orders where premium and release_at is null and id >= $1 and id < $5
                order by id limit {MostPremium}),
        looked as materialized (
            select o.id, o.premium, o.created_at, o.customer_email, p.required, p.done, p.completed_at, p.rejected_at
            from {Unfinished} where p.failed = 0 and exists (select from younger)),
        overtaking as materialized (
            select c.step, c.bit, c.consumes from step_catalogue c
            where c.active and c.bit & (select bit_or(required & ~done) from looked) <> 0
                and (select true from younger y where (select r.status from step_runs r
                        where r.subject_id = y.id and r.step = c.step) = {StepStatus.Done:D} limit 1))
        select o.id, o.premium, o.created_at, o.completed_at, c.step, c.consumes, o.customer_email
        from looked o join overtaking c on c.bit & o.required & ~o.done <> 0
            cross join lateral (select o.completed_at, o.rejected_at) p
        where (select r.status from step_runs r where r.subject_id = o.id and r.step = c.step) is null
            and (select a.priority from aged_messages a where a.subject_id = o.id and a.step = c.step
                and a.priority = {OrderPriority.Premium}) is null
            and {OrderFeed.IsReady}
        order by o.id limit {Most}
        """;

    /// <summary>Remembers the steps of which a copy is written.</summary>
    internal static readonly string Remember = $"""
        insert into aged_messages (subject_id, step, priority)
        select subject_id, step, {OrderPriority.Premium} from unnest($1, $2) as t(subject_id, step)
        on conflict do nothing
        """;
}
