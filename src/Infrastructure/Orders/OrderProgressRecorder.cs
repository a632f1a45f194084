using Npgsql;
using NpgsqlTypes;
using Orders.Contracts;
using Orders.Infrastructure.Telemetry;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure;

/// <summary>
/// Keeps <c>order_progress</c>, and with it the status of orders, in step with their steps. Publishes the end of an
/// order in the commit that brings it.
/// </summary>
public sealed class OrderProgressRecorder(StepBitmask bits, OrderMetrics? metrics = null) : IStepProgress
{
    // The CTE locks the rows in the order of their ids; without it the join's plan would decide, and two processes
    // could wait for each other.
    // The update then sees each row as it is after the lock: "done | bits" can not lose a bit of another process.
    // "cleared" are steps of which a run, or a secondary effect (an apology), has ended: whether the step is still
    // failed is asked again (Doubtful), in a statement that sees what was committed before this one had the lock.
    // What fails of a step that is done is a late copy, or a message that failed before its consumer could say that it
    // does a secondary effect: asked again too.
    // completed_at is set once, by whoever brings the last bit; old and new status tell exactly one commit that it was
    // the one.
    // The subscriptions are looked up once per statement: an integration event that no queue was deployed for is not
    // made (ADR 11), and a subscriber counts from the commit of its deployment on. So is whether there is a web hook.
    private const string Record = $"""
        with c as (
            select subject_id, bit_or(done) as done, bit_or(failed) as failed, bit_or(cleared) as cleared,
                bit_or(extra) as extra, bool_or(rejected) as rejected
            from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::boolean[])
                 as t(subject_id, done, failed, cleared, extra, rejected) group by 1),
        l as (
            select p.order_id, c.* from order_progress p join c on c.subject_id = p.order_id order by p.order_id
                for no key update of p)
        update order_progress p
        set done = p.done | l.done,
            failed = (p.failed & ~l.cleared) | (l.failed & ~p.done) | l.extra,
            rejected_at = case when l.rejected and p.cancelled_at is null then coalesce(p.rejected_at, now())
                else p.rejected_at end,
            completed_at = coalesce(p.completed_at, case when (p.done | l.done) & p.required = p.required
                and p.rejected_at is null and p.cancelled_at is null and not l.rejected then now() end)
        from l where p.order_id = l.order_id
        returning p.order_id, old.completed_at is null and new.completed_at is not null, old.rejected_at is null
            and new.rejected_at is not null,
            coalesce(new.completed_at, new.rejected_at), new.cancelled_at,
            exists (select from subscriptions where exchange = $7),
                exists (select from subscriptions where exchange = $8),
            old.failed = 0 and new.failed <> 0, {WebhookNotifier.IsAnybody},
            (old.failed & l.cleared) | (l.failed & old.done) <> 0
        """;

    // $4: only a secondary effect has ended, so the step may have failed itself.
    private static readonly string Doubtful = $"""
        update order_progress p set failed = p.failed | s.bits
        from (select t.order_id, bit_or(t.bit) as bits
            from unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[]) as t(order_id, step, bit, secondary)
            where {DeadLetteredSteps.Standing("t.order_id", "t.step")}
                or t.secondary and exists (select from step_runs r where r.subject_id = t.order_id and r.step = t.step
                    and coalesce(r.own_status, r.status) in ({(short)StepStatus.Failed}, {(short)StepStatus.Uncertain},
                    {(short)StepStatus.Expired}))
                and not exists (select from effects e where e.subject_id = t.order_id and e.effect = t.step
                    and e.state = {(short)EffectState.Done})
            group by 1) s
        where p.order_id = s.order_id and p.failed & s.bits <> s.bits
        returning p.order_id, old.failed = 0, {WebhookNotifier.IsAnybody}
        """;

    private readonly Action? _countCompleted = metrics is null ? null : metrics.Completed;
    private readonly Action? _countRejected = metrics is null ? null : metrics.Rejected;

    private static readonly string Completed = MessageName.ExchangeOf(typeof(OrderCompleted));
    private static readonly string Rejected = MessageName.ExchangeOf(typeof(OrderRejected));

    /// <inheritdoc />
    public async Task<IReadOnlyList<OutboxMessage>> RecordAsync(
        NpgsqlConnection connection,
        IReadOnlyList<StepChange> changes
    )
    {
        // Retrying changes nothing in the order's own state: no row is touched for it.
        var relevant = changes.Where(c => c.Status is not StepStatus.Retrying).ToArray();
        if (relevant.Length == 0)
            return [];

        await bits.LoadAsync(connection);
        await using var command = new NpgsqlCommand(Record, connection);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(relevant, c => c.Run.SubjectId) }
        );
        AddBits(c => IsPrimary(c) && Ended(c));
        AddBits(c => IsPrimary(c) && IsFailed(c));
        AddBits(c => Ended(c) || c.Status is StepStatus.Skipped || IsPrimary(c) && c.Status is StepStatus.Cancelled);
        AddBits(c => c.Run.IsSecondary && IsFailed(c));
        command.Parameters.Add(
            new NpgsqlParameter<bool[]>
            {
                TypedValue = Array.ConvertAll(relevant, c => c.Status is StepStatus.Rejected),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Boolean,
            }
        );

        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Completed });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Rejected });

        List<OutboxMessage>? integrationEvents = null;
        List<OrderNews>? news = null;
        HashSet<Guid>? doubtful = null;
        Failpoint.Hit("steps.before_progress", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var (completed, rejected) = (reader.GetBoolean(1), reader.GetBoolean(2));
            var order = reader.GetGuid(0);
            if (reader.GetBoolean(9))
                (doubtful ??= []).Add(order);
            if (!reader.IsDBNull(4))
                (integrationEvents ??= []).AddRange(Undo(order, reader.GetFieldValue<DateTimeOffset>(4), relevant));
            if (reader.GetBoolean(8) && (completed || rejected || reader.GetBoolean(7)))
                (news ??= []).AddRange(NewsOf(order, completed, rejected, reader.GetBoolean(7), relevant));
            if (completed || rejected)
                Count(order, rejected, relevant);
            if (!(rejected ? reader.GetBoolean(6) : completed && reader.GetBoolean(5)))
                continue;

            var at = reader.GetFieldValue<DateTimeOffset>(3);
            var run = EnderOf(order, rejected, relevant);
            (integrationEvents ??= []).Add(
                rejected
                    ? OutgoingMessage.Create(
                        new OrderRejected(order, run.Rejection ?? "", at),
                        order,
                        run.ConversationId,
                        run.MessageId,
                        run.Trace,
                        mandatory: false,
                        priority: run.Priority,
                        keys: run.Keys
                    )
                    : OutgoingMessage.Create(
                        new OrderCompleted(order, at),
                        order,
                        run.ConversationId,
                        run.MessageId,
                        run.Trace,
                        mandatory: false,
                        priority: run.Priority,
                        keys: run.Keys
                    )
            );
        }

        await reader.DisposeAsync();
        if (doubtful is not null)
        {
            foreach (var order in await AskAgainAsync(connection, doubtful, relevant))
                (news ??= []).AddRange(NewsOf(order, completed: false, rejected: false, true, relevant));
        }

        if (news is not null)
        {
            (integrationEvents ??= []).AddRange(await WebhookNotifier.NotifyAsync(connection, news));
        }

        return integrationEvents ?? [];

        // What was not begun in time is an operator's business too.
        static bool IsFailed(StepChange change) =>
            change.Status is StepStatus.Failed or StepStatus.Uncertain or StepStatus.Expired;

        void AddBits(Predicate<StepChange> holds) =>
            command.Parameters.Add(
                new NpgsqlParameter<int[]>
                {
                    TypedValue = Array.ConvertAll(relevant, c => holds(c) ? bits[c.Run.Step] : 0),
                }
            );
    }

    // Whose commit brings the end of the order.
    private static StepRun EnderOf(Guid order, bool rejected, StepChange[] changes) =>
        Array.FindLast(changes, c => c.Run.SubjectId == order && (!rejected || c.Status is StepStatus.Rejected)).Run;

    private void Count(Guid order, bool rejected, StepChange[] changes)
    {
        if ((rejected ? _countRejected : _countCompleted) is { } count)
            EnderOf(order, rejected, changes).OnCommitted(count);
    }

    private static bool IsPrimary(StepChange change) => !change.Run.IsSecondary;

    private static bool Ended(StepChange change) => change.Status is StepStatus.Done or StepStatus.Rejected;

    // Returns the orders that need attention from now on, and whose clients are told of it.
    private async Task<List<Guid>> AskAgainAsync(
        NpgsqlConnection connection,
        HashSet<Guid> orders,
        StepChange[] changes
    )
    {
        var steps = changes
            .Where(c => orders.Contains(c.Run.SubjectId))
            .GroupBy(c => (Order: c.Run.SubjectId, c.Run.Step))
            .ToArray();
        await using var command = new NpgsqlCommand(Doubtful, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(steps, s => s.Key.Order) });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(steps, s => s.Key.Step) });
        command.Parameters.Add(
            new NpgsqlParameter<int[]> { TypedValue = Array.ConvertAll(steps, s => bits[s.Key.Step]) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<bool[]>
            {
                TypedValue = Array.ConvertAll(steps, s => s.All(c => c.Run.IsSecondary)),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Boolean,
            }
        );
        Failpoint.Hit("steps.before_ask_again", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        var unattended = new List<Guid>();
        while (await reader.ReadAsync())
        {
            if (reader.GetBoolean(1) && reader.GetBoolean(2))
                unattended.Add(reader.GetGuid(0));
        }

        return unattended;
    }

    private static IEnumerable<OrderNews> NewsOf(
        Guid order,
        bool completed,
        bool rejected,
        bool needsAttention,
        StepChange[] changes
    )
    {
        var run = Array.FindLast(changes, c => c.Run.SubjectId == order).Run;
        if (completed)
            yield return new(order, WebhookEvents.Completed, Run: run);
        if (rejected)
        {
            var refused = Array.FindLast(changes, c => c.Run.SubjectId == order && c.Status is StepStatus.Rejected).Run;
            yield return new(order, WebhookEvents.Rejected, Run: refused, Reason: refused.Rejection);
        }

        if (needsAttention)
            yield return new(order, WebhookEvents.NeedsAttention, Run: run);
    }

    // These steps ended after the order had been cancelled: they knew nothing of it, or could not be stopped. Each is
    // told to undo what it did, or may have done.
    private static IEnumerable<OutboxMessage> Undo(Guid order, DateTimeOffset cancelledAt, StepChange[] changes)
    {
        foreach (var (run, status) in changes)
        {
            if (run.SubjectId != order || run.IsSecondary)
                continue;
            run.Withdraw();
            if (
                status is StepStatus.Done or StepStatus.Cancelled
                && run.Policy.Compensations.Contains(typeof(OrderCancelled))
            )
                yield return OutgoingMessage.Create(
                    new OrderCancelled(order, cancelledAt),
                    order,
                    run.ConversationId,
                    run.MessageId,
                    run.Trace,
                    priority: run.Priority,
                    queue: run.Step,
                    keys: run.Keys
                );
        }
    }
}
