using QueueWorkers.Idempotency;

namespace Orders.Infrastructure.Completeness;

/// <summary>The statements of <see cref="OrderCompleteness"/>.</summary>
internal static class OrderCompletenessSql
{
    // Ids are made by the doors when an order is posted, so their order is the order of time, and the range ends where
    // no deadline has passed.
    public const string Next = """
        select id, greatest(created_at, coalesce(release_at, created_at)) + $2 as deadline
            from orders where id > $1 and id < $3 order by id limit $4
        """;

    // What each order must have, and what it has. Counted, not trusted to be unique: the keys that make doubles
    // impossible may be what is missing.
    // $2 are the steps that begin with the order itself: the only ones that a rejected order needs. A cancelled order
    // needs no effect any more; but the steps of $4 undo what they have done for it, and the mail says so in any case.
    // What was rejected or cancelled a moment ago is only looked at again.
    public static readonly string Inspect = $"""
        with o as (
            select p.* from order_progress p where p.order_id = any($1) and p.cancelled_at is null),
        e as (
            select subject_id, effect, count(*) filter (where state = {EffectState.Done:D}) as done, count(*) as rows
                from effects where subject_id = any($1) group by 1, 2),
        steps as (
            select o.order_id, c.step, o.done & c.bit <> 0 as marked, coalesce(e.done, 0) as done,
                o.rejected_at is not null as rejected
            from o join step_catalogue c on o.required & c.bit <> 0 and (o.rejected_at is null or c.step = any($2))
                left join e on e.subject_id = o.order_id and e.effect = c.step),
        stock as (
            select l.order_id, sum(l.quantity) as ordered,
                   (select coalesce(-sum(m.quantity), 0) from stock_movements m where m.order_id = l.order_id) as moved
            from order_lines l join steps s on s.order_id = l.order_id and s.step = 'inventory' and s.done > 0
                and not s.rejected
            group by l.order_id),
        undo as (
            select p.order_id, p.cancelled_at, c.step, coalesce(d.done, 0) as done, coalesce(u.done, 0) as undone
            from order_progress p cross join unnest($4::text[]) as c(step)
                left join e d on d.subject_id = p.order_id and d.effect = c.step
                left join e u on u.subject_id = p.order_id and u.effect = c.step || '-undo'
            where p.order_id = any($1) and p.cancelled_at is not null)
        select s.order_id, s.step as effect, 'missing' as what, r.status, r.next_attempt_at from steps s
            left join step_runs r on r.subject_id = s.order_id and r.step = s.step
            where not s.marked and s.done = 0
        union all
        select s.order_id, s.step, 'unmarked', null, null from steps s where not s.marked and s.done > 0
        union all
        select s.order_id, s.step, 'uneffected', null, null from steps s where s.marked and s.done = 0
        union all
        select e.subject_id, e.effect, 'doubled', null, null from e join o on o.order_id = e.subject_id where e.rows > 1
        union all
        select o.order_id, '{OrderEffects.Apology}', case when o.rejected_at < now() - $3 then 'unapologised' else 'early' end, null,
            null from o where o.rejected_at is not null
            and not exists (select from e where e.subject_id = o.order_id and e.effect = '{OrderEffects.Apology}' and e.done > 0)
        union all
        select s.order_id, s.step, case when s.done > 0 and i.documents = 0 then 'uninvoiced' else 'doubled' end, null,
            null
            from steps s cross join lateral (select count(*) as invoices, count(sha256) as documents from invoices i
                where i.order_id = s.order_id) i
            where s.step = 'invoice' and ((s.done > 0 and i.documents = 0) or i.invoices > 1)
        union all
        select order_id, step || '-undo', case when cancelled_at < now() - $5 then 'uncompensated' else 'early' end,
            null, null from undo
            where undone = 0 and (done > 0 or step = 'email'
                or (step = 'invoice' and exists (select from invoices i where i.order_id = undo.order_id)))
        union all
        select order_id, 'inventory-undo', 'unreturned', null, null from undo
            where step = 'inventory' and undone > 0 and (select coalesce(sum(m.quantity), 0) from stock_movements m
                where m.order_id = undo.order_id) <> 0
        union all
        select order_id, 'inventory', case when moved > ordered then 'overdrawn' else 'underdrawn' end, null, null
            from stock where moved <> ordered
        """;

    // The original's id where a step has kept it, which all of them do for a message that they share; else the id that
    // the message must have had.
    public static readonly string Accepted = $"""
        select o.premium, o.created_at, (select e.message_id from effects e
            where e.subject_id = o.id and e.effect = any($2) and e.state = {EffectState.Done:D} limit 1) as kept_id
            from orders o where o.id = $1
        """;

    public const string Cancelled =
        "select cancelled_at from order_progress where order_id = $1 and cancelled_at is not null";

    public static readonly string Reserved = $"""
        select i.at, i.message_id as reserved_by, (select e.message_id from effects e
            where e.subject_id = i.subject_id and e.effect = any($2) and e.state = {EffectState.Done:D} limit 1)
                as kept_id
        from effects i join order_progress p on p.order_id = i.subject_id
        where i.subject_id = $1 and i.effect = 'inventory' and i.state = {EffectState.Done:D} and p.rejected_at is null
        """;
}
