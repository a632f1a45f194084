using Npgsql;
using NpgsqlTypes;
using QueueWorkers.DeadLetters;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Reports;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Commits runs of steps, many at a time. In one transaction, in this order, which is the lock order of every process:
/// 1. idempotency rows and effects; runs whose message or effect is there already are dropped here, and nothing of them
///    is written, except that what their message had left at its step is over;
/// 2. the application's rows, kind by kind (<see cref="IStepWriter"/>), which may add messages or refuse;
/// 3. the subjects' progress (<see cref="IStepProgress"/>), which may add messages;
/// 4. the steps' rows and the outgoing messages.
/// Who writes failures does it between 2 and 3: docs/message-lifecycle.md ("Order of locks") has the whole list.
/// A crash before the end leaves nothing; a crash after it and before the ack brings the message back, to be dropped at
/// 1.
/// The result is false for a run that was dropped.
/// </summary>
public sealed class StepCommitter(
    NpgsqlDataSource database,
    IEnumerable<IStepWriter> writers,
    IStepProgress progress,
    RelayFeed relay
) : GroupCommitter<StepRun, bool>
{
    // A batch never holds two runs of one message (see Distinct), and of those with one effect the first one runs: "on
    // conflict do update" must not meet its own row. The others' idempotency rows are written all the same, since their
    // work is done with it.
    // The second conflict branch completes a claim of this message's own run; a claim of another message, or a done
    // effect, wins.
    private static readonly string Fresh = $"""
        with u as (select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) with ordinality
            as t(message_id, step, subject_id, effect, n)),
        n as (
            insert into idempotency (message_id, step) select message_id, step from u order by message_id, step
            on conflict do nothing returning message_id, step),
        d as (
            insert into effects (subject_id, effect, message_id, step, state)
            select distinct on (u.subject_id, u.effect) u.subject_id, u.effect, u.message_id, u.step,
                {EffectState.Done:D} from u join n using (message_id, step) order by u.subject_id, u.effect, u.n
            on conflict (subject_id, effect) do update set state = {EffectState.Done:D}, lease_until = null, at = now()
                where effects.message_id = excluded.message_id and effects.state <> {EffectState.Done:D}
            returning message_id, step)
        select n.message_id, n.step, d.message_id is not null from n left join d using (message_id, step)
        """;

    // A step stays failed when it is done itself while another message of it stands in the dead-letter queue: an
    // operator has to see the one although the other came later. Only a step that has an own status ever had such a message.
    private static readonly string Finish = $"""
        with s as (
            insert into step_runs (subject_id, step, status, attempts, started_at, attempt_started_at, queued_at,
                finished_at)
            select t.subject_id, t.step, t.status, t.attempts, t.started_at, t.started_at, t.queued_at, now()
            from unnest($1::uuid[], $2::text[], $3::smallint[], $4::integer[], $5::timestamptz[], $6::timestamptz[])
                as t(subject_id, step, status, attempts, started_at, queued_at)
            order by t.subject_id, t.step
            on conflict (subject_id, step) do update set attempts = step_runs.attempts + 1,
                status = case when step_runs.own_status is null then excluded.status
                    when {DeadLetteredSteps.Standing("excluded.subject_id", "excluded.step")}
                    then {StepStatus.Failed:D} else excluded.status end,
                own_status = case when step_runs.own_status is null then null
                    when {DeadLetteredSteps.Standing("excluded.subject_id", "excluded.step")} then excluded.status end,
                finished_at = now(), next_attempt_at = null,
                started_at = coalesce(step_runs.started_at, excluded.started_at),
                attempt_started_at = excluded.attempt_started_at,
                queued_at = coalesce(step_runs.queued_at, excluded.queued_at))
        {OutboxColumns.Insert(first: 7)}
        """;

    // Which of the dropped runs had failed before, in this or another copy: their steps may still say so.
    private static readonly string Unsettled = $"""
        select t.n::integer - 1 from unnest($1::uuid[], $2::text[]) with ordinality as t(subject_id, step, n)
            join step_runs r using (subject_id, step)
        where r.own_status is not null or r.status in ({StepStatus.Retrying:D}, {StepStatus.Failed:D},
            {StepStatus.Uncertain:D})
        """;

    // Of the keys that this transaction has inserted for dropped runs, those whose effect another message has done stay:
    // their work is done, and a redrive of them has ended. Where another run is still at the effect nobody knows that.
    private static readonly string KeepKeys = $"""
        delete from idempotency i using unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as t(message_id, step,
            subject_id, effect)
        where i.message_id = t.message_id and i.step = t.step
            and not exists (select from effects e where e.subject_id = t.subject_id and e.effect = t.effect
                and e.state = {EffectState.Done:D})
        """;

    private readonly ILookup<Type, IStepWriter> _writers = writers.ToLookup(w => w.WriteType);

    /// <inheritdoc />
    protected override string SpanName => "commit step";

    /// <inheritdoc />
    /// <remarks>
    /// Nobody waits for a step but its queue: under load a few milliseconds more make commits three times as large
    /// (measured, docs/performance.md).
    /// </remarks>
    protected override TimeSpan Linger { get; } = TimeSpan.FromMilliseconds(4);

    /// <inheritdoc />
    /// <remarks>
    /// Also what a writer throws about one run; only a database that is away fails all of them alike.
    /// </remarks>
    protected override bool IsUnitFault(Exception exception) => !DatabaseFault.IsUnavailable(exception);

    /// <inheritdoc />
    protected override async Task<bool[]> WriteAsync(IReadOnlyList<StepRun> units)
    {
        var candidates = Distinct(units);
        candidates.ForEach(run => run.BeginWrite());
        Failpoint.Hit("steps.before_open", Outside.Database);
        await using var connection = await database.OpenConnectionAsync();
        var (fresh, keyed) = await BeginAsync(connection, candidates);
        var dropped = candidates.Except(fresh).ToList();
        try
        {
            if (keyed.Count > 0)
                await KeepKeysAsync(connection, keyed, ends: fresh.Count == 0);
            if (fresh.Count > 0)
                await CommitAsync(connection, fresh, dropped);
            else if (keyed.Count == 0)
                await ExecuteAsync(connection, "ROLLBACK");
        }
        catch (Exception exception) when (!DatabaseFault.IsUnavailable(exception))
        {
            // The server is there: end the transaction now, so that its locks are gone before the halves of this batch
            // are tried.
            await ExecuteAsync(connection, "ROLLBACK");
            throw;
        }

        if (fresh.Count == 0)
            await ClearUpAsync(connection, dropped);
        var committed = fresh.ToHashSet(ReferenceEqualityComparer.Instance);
        return [.. units.Select(committed.Contains)];
    }

    private async Task CommitAsync(NpgsqlConnection connection, List<StepRun> fresh, List<StepRun> dropped)
    {
        // In this transaction: after it, a fault would hand in the others once more, as their own duplicates. Before the
        // writers, whose rows many wait for.
        var unsettled = await UnsettledAsync(connection, dropped);
        foreach (
            var group in fresh
                .Where(r => r.Write is not null)
                .GroupBy(r => r.Write!.GetType())
                .Select(g => (Writer: WriterOf(g.Key), Runs: g.ToArray()))
                .OrderBy(g => g.Writer.LockOrder)
        )
            await group.Writer.WriteAsync(connection, group.Runs);

        var published = await progress.RecordAsync(
            connection,
            [.. DroppedRuns.Changes(unsettled), .. fresh.Select(r => new StepChange(r, StatusOf(r)))]
        );
        var outgoing = fresh.SelectMany(r => r.Outgoing).Concat(published).ToArray();
        await FinishAsync(connection, fresh, unsettled, outgoing);
        foreach (var run in fresh)
            run.Committed();

        // Only now: the rows exist. Dying here costs a lease, not a message.
        foreach (var message in outgoing)
            relay.Offer(message);
    }

    // The same message twice in one batch (delivered twice, or published twice): the first one runs, the others are
    // duplicates. Of two with a claim, the holder of the later one: the other's was taken over.
    private static List<StepRun> Distinct(IReadOnlyList<StepRun> units)
    {
        var messages = new HashSet<(Guid, string)>(units.Count);
        var distinct = new List<StepRun>(units.Count);
        foreach (var run in units.OrderByDescending(u => u.ClaimUntil ?? DateTimeOffset.MinValue))
        {
            if (messages.Add((run.MessageId, run.Step)))
                distinct.Add(run);
        }

        return distinct;
    }

    private static StepStatus StatusOf(StepRun run) => run.Rejection is null ? StepStatus.Done : StepStatus.Rejected;

    private IStepWriter WriterOf(Type type) =>
        _writers[type].SingleOrDefault()
        ?? throw new InvalidOperationException(
            $"No single IStepWriter is registered for {type.Name}; add services.AddSingleton<IStepWriter, …>() for it."
        );

    // BEGIN rides along with the first statement, COMMIT with the last: three round trips for a batch, however large.
    // Keyed are runs that are dropped although their message was not there yet: another message has their effect.
    private async Task<(List<StepRun> Fresh, List<StepRun> Keyed)> BeginAsync(
        NpgsqlConnection connection,
        List<StepRun> runs
    )
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand("BEGIN") } };
        if (WaitsBriefly)
            batch.BatchCommands.Add(LockWait.Briefly());
        var command = new NpgsqlBatchCommand(Fresh);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.MessageId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Step)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Effect)] });
        batch.BatchCommands.Add(command);

        var fresh = new HashSet<(Guid, string)>(runs.Count);
        var keyed = new HashSet<(Guid, string)>();
        Failpoint.Hit("steps.before_begin", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        if (WaitsBriefly)
            await reader.NextResultAsync();
        while (await reader.ReadAsync())
            (reader.GetBoolean(2) ? fresh : keyed).Add((reader.GetGuid(0), reader.GetString(1)));
        Failpoint.Hit("steps.after_begin", Outside.Database);
        return (Of(fresh), Of(keyed));

        List<StepRun> Of(HashSet<(Guid, string)> keys) =>
            keys.Count == 0 ? [] : runs.FindAll(r => keys.Contains((r.MessageId, r.Step)));
    }

    private static async Task FinishAsync(
        NpgsqlConnection connection,
        List<StepRun> all,
        List<StepRun> unsettled,
        OutboxMessage[] outgoing
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        var runs = all.FindAll(r => !r.IsSecondary);
        if (runs.Count < all.Count || unsettled.Count > 0)
        {
            // All rows of both statements, in one order.
            batch.BatchCommands.Add(DroppedRuns.Lock([.. unsettled, .. all]));
            batch.BatchCommands.Add(DroppedRuns.Settle([.. unsettled, .. all.Where(r => r.IsSecondary)]));
        }

        var command = new NpgsqlBatchCommand(Finish);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Step)] });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. runs.Select(r => (short)StatusOf(r))] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. runs.Select(r => r.Attempt)] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. runs.Select(r => r.StartedAt)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset?[]>
            {
                TypedValue = [.. runs.Select(r => r.QueuedAt)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        OutboxColumns.AddTo(command.Parameters, outgoing);
        batch.BatchCommands.Add(command);
        if (StepReports.For(all) is { } reports)
            batch.BatchCommands.Add(reports);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        Failpoint.Hit("steps.before_commit", Outside.Database);
        await batch.ExecuteNonQueryAsync();
        Failpoint.Hit("steps.after_commit", Outside.Database);
    }

    // Rarely more than one look. Dying before its commit brings the message again, and again it is dropped and comes by
    // here.
    private async Task ClearUpAsync(NpgsqlConnection connection, List<StepRun> dropped)
    {
        if (await UnsettledAsync(connection, dropped) is not { Count: > 0 } unsettled)
            return;
        await using var transaction = await connection.BeginTransactionAsync();
        var published = await DroppedRuns.EndAsync(connection, progress, unsettled);
        await OutboxWriter.InsertAsync(connection, published);
        await transaction.CommitAsync();
        Failpoint.Hit("steps.after_clear_up", Outside.Database);
        foreach (var message in published)
            relay.Offer(message);
    }

    private static async Task KeepKeysAsync(NpgsqlConnection connection, List<StepRun> keyed, bool ends)
    {
        var command = new NpgsqlBatchCommand(KeepKeys);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keyed.Select(r => r.MessageId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. keyed.Select(r => r.Step)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keyed.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. keyed.Select(r => r.Effect)] });
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { command } };
        if (ends)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        Failpoint.Hit("steps.before_keep_keys", Outside.Database);
        await batch.ExecuteNonQueryAsync();
        Failpoint.Hit("steps.after_keep_keys", Outside.Database);
    }

    private static async Task<List<StepRun>> UnsettledAsync(NpgsqlConnection connection, List<StepRun> dropped)
    {
        if (dropped.Count == 0)
            return [];
        await using var command = new NpgsqlCommand(Unsettled, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. dropped.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. dropped.Select(r => r.Step)] });
        Failpoint.Hit("steps.before_read_unsettled", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        var unsettled = new List<StepRun>();
        while (await reader.ReadAsync())
            unsettled.Add(dropped[reader.GetInt32(0)]);
        return unsettled;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        Failpoint.Hit("steps.before_rollback", Outside.Database);
        await command.ExecuteNonQueryAsync();
    }
}
