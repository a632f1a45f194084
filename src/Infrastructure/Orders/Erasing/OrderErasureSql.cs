using Orders.Contracts;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Erasing;

/// <summary>
/// The order application's part of an erasure in SQL. The functions run with the rights of the database's owner and
/// write constants only: who may call them cannot change an order in any other way.
/// </summary>
internal static class OrderErasureSql
{
    /// <summary>What stands in place of a name or a street.</summary>
    public const string Erased = "erased";

    /// <summary>What stands in place of a mail address; no mail server will ever have it (RFC 2606).</summary>
    public const string Address = "erased@erased.invalid";

    // A shorter word stands in others by chance, and a key that is replaced recognises no repeated post. A whole name
    // or street of short words ("Bo Li") is long enough to say something about a person.
    private const int ShortestQuoted = 4;

    /// <summary>The columns that these functions erase.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "orders.customer_name",
        "orders.customer_email",
        "orders.notes",
        "orders.ship_line1",
        "orders.ship_city",
        "orders.ship_postal_code",
        "posted_keys.key",
        "posted_keys.body_hash",
        "webhook_deliveries.reason",
        // Later, when tax law allows it.
        "invoices.snapshot",
        "invoices.pdf",
        "invoices.sha256",
        "credit_notes.pdf",
        "credit_notes.sha256",
    ];

    /// <summary>
    /// The functions, for the migration.
    /// erase_posted_keys: no body equals an empty hash, so a repeated post is refused while its key stays. A key that
    /// has the customer's name, street or mail address, or a word of one, is replaced. A replaced key is not found: a
    /// repeated post becomes a new order (ADR 117).
    /// erase_invoices: invoices and credit notes of erased orders, once both are old enough. Numbers and sums stay; the
    /// hash of a document becomes zeros, since a document could be guessed by its hash.
    /// </summary>
    public static string Functions { get; } =
        $"""
            create function erase_posted_keys(ids uuid[]) returns void language sql
                security definer set search_path = public, pg_temp as $f$
                update posted_keys k set body_hash = '', key = case when exists (
                        select from regexp_split_to_table(lower(concat_ws(' ', o.customer_name, o.ship_line1,
                            split_part(o.customer_email, '@', 1))), '[^[:alnum:]]+') as word
                        where length(word) >= {ShortestQuoted} and position(word in lower(k.key)) > 0)
                        or position(lower(o.customer_email) in lower(k.key)) > 0
                        or length(o.customer_name) >= {ShortestQuoted}
                            and position(lower(o.customer_name) in lower(k.key)) > 0
                        or length(o.ship_line1) >= {ShortestQuoted}
                            and position(lower(o.ship_line1) in lower(k.key)) > 0
                    then '{Erased} ' || k.order_id else k.key end
                from orders o where o.id = k.order_id and o.id = any(ids) and o.erased_at is null;
            $f$;
            revoke all on function erase_posted_keys(uuid[]) from public;

            create function erase_orders(ids uuid[]) returns void language sql
                security definer set search_path = public, pg_temp as $f$
                update webhook_deliveries set reason = null where order_id = any(ids) and reason is not null;
                update orders o set customer_name = '{Erased}', customer_email = '{Address}', notes = null,
                    ship_line1 = '{Erased}', ship_city = '{Erased}', ship_postal_code = '', erased_at = now()
                from (select id from orders where id = any(ids) and erased_at is null order by id for no key update) l
                where o.id = l.id;
            $f$;
            revoke all on function erase_orders(uuid[]) from public;

            create function erase_invoices(kept interval, most integer) returns integer language plpgsql
                security definer set search_path = public, pg_temp as $f$
            declare
                due uuid[];
            begin
                if kept is null or kept < interval '1 day' then
                    raise exception 'Expected invoices to be kept for 1 day or longer, found %', kept;
                end if;
                select coalesce(array_agg(order_id), '{"{}"}') into due from (
                    select i.order_id from orders o join invoices i on i.order_id = o.id
                        left join credit_notes n on n.order_id = o.id
                    where o.erased_at is not null and i.issued_at < now() - kept
                        and (n.issued_at is null or n.issued_at < now() - kept)
                        and i.snapshot ->> 'customerName' is distinct from '{Erased}'
                    order by i.order_id limit most for no key update of i) l;
                update credit_notes set pdf = null, sha256 = case when sha256 is null then null
                    else decode(repeat('00', 32), 'hex') end where order_id = any(due);
                update invoices set pdf = null, sha256 = case when sha256 is null then null
                        else decode(repeat('00', 32), 'hex') end,
                    snapshot = snapshot || jsonb_build_object('customerName', '{Erased}', 'address',
                        snapshot -> 'address'
                            || jsonb_build_object('line1', '{Erased}', 'city', '{Erased}', 'postalCode', ''))
                    where order_id = any(due);
                return cardinality(due);
            end $f$;
            revoke all on function erase_invoices(interval, integer) from public;
            """;

    private static readonly string Accepted = MessageName.ExchangeOf(typeof(OrderAccepted));
    private static readonly string Rejected = MessageName.ExchangeOf(typeof(StockRejected));
    private static readonly string Cancelled = MessageName.ExchangeOf(typeof(OrderCancelled));

    // A failure that an operator has archived, or whose message is gone, is given up: the order waits for it no longer.
    private static readonly string GivenUp =
        $"exists (select from failures f where f.subject_id = o.id and f.step = c.step and f.state in ({FailureState.Archived:D}, {FailureState.Gone:D}))";

    /// <summary>
    /// Says in SQL whether work on an order <c>o</c> with its progress <c>p</c> is still to come: it has not ended, a
    /// step of it runs or waits for another attempt, an operator has to look at a failure, or what follows from its
    /// rejection or cancellation is not done.
    /// </summary>
    public static readonly string IsUnderWay = $"""
        (p.completed_at is null and p.rejected_at is null and p.cancelled_at is null
            or p.failed <> 0 and exists (select from failures f where f.subject_id = o.id
                and f.state = {FailureState.Failed:D})
            or exists (select from step_runs r where r.subject_id = o.id
                and r.status in ({StepStatus.Waiting:D}, {StepStatus.Running:D}, {StepStatus.Retrying:D}))
            or p.rejected_at is not null and exists (select from step_catalogue c where c.active
                and (c.bit & p.required & ~p.done <> 0 and '{Accepted}' = any(c.consumes)
                    or '{Rejected}' = any(c.consumes) and not exists (select from effects e where e.subject_id = o.id
                        and e.step = c.step and e.effect = '{OrderEffects.Apology}' and e.state = {EffectState.Done:D}))
                and not {GivenUp})
            or p.cancelled_at is not null and p.cancelled_at > now() - interval '7 days' and exists (select from step_catalogue c where c.active
                and '{Cancelled}' = any(c.consumes) and not exists (select from effects e where e.subject_id = o.id
                    and e.effect = c.step || '{StepRun.CompensationSuffix}' and e.state = {EffectState.Done:D})
                and not {GivenUp}))
        """;

    /// <summary>
    /// The deliveries to web hooks of some orders, and whether one is still to come: the erasure would throw away what
    /// the client has not got.
    /// </summary>
    public static readonly string Deliveries = $"""
        select d.id, exists (select from step_runs r where r.subject_id = d.id
                and r.status in ({StepStatus.Waiting:D}, {StepStatus.Running:D}, {StepStatus.Retrying:D}))
            or exists (select from failures f where f.subject_id = d.id and f.state = {FailureState.Failed:D})
                as undelivered
        from webhook_deliveries d where d.order_id = any($1)
        """;

    /// <summary>The orders of a customer: $1 the address in lower case, $2 accepted before this moment.</summary>
    public static readonly string OfCustomer = $"""
        select o.id, o.number, {IsUnderWay} as under_way,
            exists (select from invoices i where i.order_id = o.id) as invoiced
        from orders o join order_progress p on p.order_id = o.id
        where lower(o.customer_email) = $1 and o.erased_at is null
            and ($2::timestamptz is null or o.created_at < $2)
        order by o.id
        """;
}
