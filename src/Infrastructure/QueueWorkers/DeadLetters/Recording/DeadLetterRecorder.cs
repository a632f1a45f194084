using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.DeadLetters.Recording;

/// <summary>
/// Shows a step as dead-lettered when its message was dead-lettered without it: the broker gave the message up, or the
/// worker could not write when it did. A step that has ended in any way stays as it is, and so does one whose work
/// another copy of the message has done. Two processes at once write the same rows twice, to the same end.
/// </summary>
public sealed class DeadLetterRecorder(IStepProgress progress)
{
    // Late: of messages that have stood in the index for a while. There the step may be on its way again by a message
    // of another id (a replay), so only what is overdue counts: no row at all, or an attempt that should have been made
    // a minute ago.
    private static readonly string Unrecorded = $"""
        select t.n::integer - 1
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[]) with ordinality as t(message_id, step,
            subject_id, at, n)
        left join step_runs r on r.subject_id = t.subject_id and r.step = t.step
        where (r.subject_id is null or r.status in ({StepStatus.Waiting:D}, {StepStatus.Running:D},
            {StepStatus.Retrying:D}))
            and (not $5 or t.at < now() - interval '1 minute'
                and (r.subject_id is null or r.status = {StepStatus.Retrying:D}
                and coalesce(r.next_attempt_at, r.started_at, '-infinity') < now() - interval '1 minute'))
            and not exists (select from idempotency i where i.message_id = t.message_id and i.step = t.step)
            and not exists (select from effects e where e.subject_id = t.subject_id and e.effect = t.step
                and e.state = {EffectState.Done:D})
        """;

    // Nobody knows when it was begun: the run that does it in the end says so.
    // Status again: between the query above and this statement the step may have ended.
    // Whether it is the message of the step's own effect is not known: the run that ends it looks for others.
    private static readonly string Record = $"""
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, last_fault, own_status)
        select t.subject_id, t.step, {StepStatus.Failed:D}, t.attempts, null, now(), t.fault, {StepStatus.Failed:D}
            from unnest($1::uuid[], $2::text[], $3::integer[], $4::text[]) as t(subject_id, step, attempts, fault)
        order by t.subject_id, t.step
        on conflict (subject_id, step) do update set status = {StepStatus.Failed:D},
            attempts = greatest(step_runs.attempts, excluded.attempts), finished_at = now(), next_attempt_at = null,
            last_fault = excluded.last_fault, own_status = coalesce(step_runs.own_status, excluded.own_status)
            where step_runs.status in ({StepStatus.Waiting:D}, {StepStatus.Running:D}, {StepStatus.Retrying:D})
        """;

    /// <summary>
    /// Finds those of the messages that need it, and asks for their keys: whoever commits one of them from now on waits
    /// for the caller's transaction. Before the rows of the failures are written: the lock order of every commit.
    /// </summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="messages">Messages that were found in dead-letter queues.</param>
    /// <param name="isLate">Whether they have been in the index before.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>One message for each step that is to be recorded.</returns>
    internal static async Task<DeadLetter[]> FindAsync(
        NpgsqlConnection connection,
        IReadOnlyList<DeadLetter> messages,
        bool isLate,
        CancellationToken cancellationToken
    )
    {
        var candidates = messages
            .Where(m => m is { Kind: FailureKind.Error, Step: not null, SubjectId: not null })
            .ToArray();
        if (candidates.Length == 0)
            return [];
        var unrecorded = await UnrecordedAsync(connection, candidates, isLate, cancellationToken);
        if (unrecorded.Length == 0)
            return [];
        var open = await IdempotencyKeys.OpenAsync(
            connection,
            Array.ConvertAll(unrecorded, m => (KeyOf(m), m.SubjectId!.Value)),
            cancellationToken
        );
        return [.. unrecorded.Where(m => open.Contains(KeyOf(m))).DistinctBy(m => (m.SubjectId, m.Step))];

        static MessageKey KeyOf(DeadLetter message) => new(message.MessageId, message.Step!);
    }

    /// <summary>Writes it in the caller's transaction.</summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="unrecorded">What <see cref="FindAsync"/> has found in it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>How many steps are recorded now.</returns>
    internal async Task<int> WriteAsync(
        NpgsqlConnection connection,
        DeadLetter[] unrecorded,
        CancellationToken cancellationToken
    )
    {
        if (unrecorded.Length == 0)
            return 0;
        // The subjects' progress before the steps' rows: the lock order of every commit.
        var changes = Array.ConvertAll(
            unrecorded,
            m => new StepChange(
                new StepRun(new StepPolicy(m.Step!), m.MessageId, m.SubjectId!.Value, m.MessageId, m.Attempts, null),
                StepStatus.Failed
            )
        );
        await OutboxWriter.InsertAsync(connection, await progress.RecordAsync(connection, changes), cancellationToken);
        await using var command = new NpgsqlCommand(Record, connection);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(unrecorded, m => m.SubjectId!.Value) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(unrecorded, m => m.Step!) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<int[]> { TypedValue = Array.ConvertAll(unrecorded, m => m.Attempts) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string[]>
            {
                TypedValue = Array.ConvertAll(unrecorded, m => $"{m.FaultType}: {m.FaultMessage}"),
            }
        );
        Failpoint.Hit("deadletter.before_record_step", Outside.Database);
        var recorded = await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_record_step", Outside.Database);
        return recorded;
    }

    private static async Task<DeadLetter[]> UnrecordedAsync(
        NpgsqlConnection connection,
        DeadLetter[] candidates,
        bool isLate,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Unrecorded, connection);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(candidates, m => m.MessageId) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(candidates, m => m.Step!) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(candidates, m => m.SubjectId!.Value) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = Array.ConvertAll(candidates, m => m.At),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = isLate });
        var unrecorded = new List<DeadLetter>();
        Failpoint.Hit("deadletter.before_read_unrecorded", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            unrecorded.Add(candidates[reader.GetInt32(0)]);
        return [.. unrecorded];
    }
}
