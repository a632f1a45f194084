using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Reports;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Writes down that an attempt failed, so that whoever asks for the subject sees why it is not done and when it goes
/// on. With the last attempt in the lock order of <see cref="StepCommitter"/>, which begins with the idempotency key: of
/// a run that fails for good and one that commits the same message in another process, the second one knows of the
/// first.
/// </summary>
public sealed class StepFailures(NpgsqlDataSource database, IStepProgress progress, RelayFeed relay)
{
    private const int LongestFault = 2000;

    private static readonly string IsLast = $"$3 in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})";

    // By its own effect.
    private static readonly string Ended = $"({StepStatus.Done:D}, {StepStatus.Rejected:D})";

    // What the waterfall of a subject is drawn from.
    private const string Attempt = """
        insert into step_attempts (subject_id, step, started_at, attempt, next_at, fault, host)
            values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
        """;

    // With the row there, and locked by the next statement, Record sees what was committed by whoever held it.
    private static readonly string Begin = $"""
        insert into step_runs (subject_id, step, status, attempts, started_at)
            values ($1, $2, {StepStatus.Waiting:D}, $3, $4) on conflict do nothing
        """;

    // A step that is done, or refused, stays so when what failed is a late copy of its message. No attempt of a message
    // is to come when its key is there; with the last one the key was asked for before.
    // A secondary effect (an apology), and a message that failed before its consumer could say that it is one, have
    // only this row to show their failure in; the step's own status is kept beside it.
    // Another message of the step that stands in the dead-letter queue keeps it failed while this one is retried.
    private static readonly string Record = $"""
        with dead as (select {DeadLetteredSteps.Standing("$1", "$2")} as stands)
        update step_runs r set attempts = r.attempts + 1,
            status = case when {IsLast} or not dead.stands then $3::smallint
                when r.status = {StepStatus.Uncertain:D} then r.status
                else {StepStatus.Failed:D} end,
            own_status = case when not $7 or r.status in {Ended} then coalesce(r.own_status, r.status)
                when r.own_status is not null then $3::smallint end,
            finished_at = case when {IsLast} then now() when dead.stands then coalesce(r.finished_at, now()) end,
            next_attempt_at = $5, last_fault = $6, started_at = coalesce(r.started_at, $4), attempt_started_at = $4,
            queued_at = coalesce(r.queued_at, $8)
        from dead
        where r.subject_id = $1 and r.step = $2
            and (r.status not in {Ended} or not $7 or ({IsLast} and dead.stands))
            and ({IsLast} or not exists (select from idempotency i where i.message_id = $9 and i.step = $2))
        """;

    // No attempt: the counter stays. What is done, dead-lettered or refused stays too.
    private static readonly string Defer = $"""
        insert into step_runs (subject_id, step, status, attempts, started_at, next_attempt_at, last_fault)
            values ($1, $2, {StepStatus.Retrying:D}, 0, $3, $4, $5)
        on conflict (subject_id, step) do update set status = {StepStatus.Retrying:D},
            next_attempt_at = excluded.next_attempt_at, last_fault = excluded.last_fault
            where step_runs.status in ({StepStatus.Waiting:D}, {StepStatus.Running:D}, {StepStatus.Retrying:D})
        """;

    /// <summary>
    /// Records a failed attempt. Dying after it and before the message moves on (to the outbox or to <c>_error</c>)
    /// only means that the attempt is made, and counted, again.
    /// </summary>
    /// <param name="run">The run that failed.</param>
    /// <param name="fault">Why.</param>
    /// <param name="nextAttempt">In how long the next attempt follows; null when there is none and the message is
    /// dead-lettered.</param>
    /// <param name="deadLetter">With the last attempt: what the index of failures keeps of the message, written in the
    /// same transaction.</param>
    internal async Task RecordAsync(StepRun run, Exception fault, TimeSpan? nextAttempt, DeadLetter? deadLetter = null)
    {
        var status =
            nextAttempt is not null ? StepStatus.Retrying
            : fault is UncertainEffectException ? StepStatus.Uncertain
            : StepStatus.Failed;
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        // A copy in another process may have done the work since this run failed.
        var isDone = nextAttempt is null && await IsDoneAsync(connection, run);
        // Before the rest: what follows finds the message among those that stand in the dead-letter queue.
        if (deadLetter is not null)
            await FailureRows.WriteAsync(connection, [deadLetter], CancellationToken.None);
        if (deadLetter is not null && isDone)
            await FailureRows.CloseAsync(
                connection,
                run.MessageId,
                run.Step,
                FailureRows.DoneByAnotherCopy,
                CancellationToken.None
            );
        var published = isDone
            ? await DroppedRuns.EndAsync(connection, progress, [run])
            : await progress.RecordAsync(connection, [new StepChange(run, status)]);
        await RecordAsync(connection, run, status, isDone, Describe(fault), nextAttempt);
        await OutboxWriter.InsertAsync(connection, published);
        Failpoint.Hit("steps.before_commit_failure", Outside.Database);
        await transaction.CommitAsync();
        Failpoint.Hit("steps.after_commit_failure", Outside.Database);
        foreach (var message in published)
            relay.Offer(message);
    }

    private static async Task<bool> IsDoneAsync(NpgsqlConnection connection, StepRun run)
    {
        var key = new MessageKey(run.MessageId, run.Step);
        var open = await IdempotencyKeys.OpenAsync(connection, [(key, run.SubjectId)], CancellationToken.None);
        return !open.Contains(key);
    }

    private static async Task RecordAsync(
        NpgsqlConnection connection,
        StepRun run,
        StepStatus status,
        bool isDone,
        string fault,
        TimeSpan? nextAttempt
    )
    {
        var next = new NpgsqlParameter
        {
            Value = nextAttempt is { } wait ? DatabaseClock.UtcNow + wait : DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        };
        await using var batch = new NpgsqlBatch(connection);
        Add(Attempt, run.SubjectId, run.Step, run.StartedAt, run.Attempt, next, fault, Environment.MachineName);
        if (!isDone)
        {
            Add(Begin, run.SubjectId, run.Step, run.Attempt - 1, run.StartedAt);
            Add(DeadLetteredSteps.Lock, new[] { run.SubjectId }, new[] { run.Step });
            var queued = new NpgsqlParameter
            {
                Value = (object?)run.QueuedAt ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            };
            Add(
                Record,
                run.SubjectId,
                run.Step,
                (short)status,
                run.StartedAt,
                next.Clone(),
                fault,
                !run.IsSecondary,
                queued,
                run.MessageId
            );
        }

        if (StepReports.For([run]) is { } report)
            batch.BatchCommands.Add(report);
        Failpoint.Hit("steps.before_record_failure", Outside.Database);
        await batch.ExecuteNonQueryAsync();

        void Add(string sql, params object[] values)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values)
                command.Parameters.Add(value as NpgsqlParameter ?? new() { Value = value });
            batch.BatchCommands.Add(command);
        }
    }

    /// <summary>
    /// Writes down why a step waits although no attempt of it has failed: what it depends on is down.
    /// </summary>
    /// <param name="run">The run that found it down.</param>
    /// <param name="reason">Why it waits.</param>
    /// <param name="until">When its message comes again.</param>
    public async Task RecordDeferredAsync(StepRun run, string reason, DateTimeOffset until)
    {
        if (run.IsSecondary)
            return;
        await using var command = database.CreateCommand(Defer);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = run.Step });
        command.Parameters.Add(new() { Value = run.StartedAt });
        command.Parameters.Add(new() { Value = until.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = StorableText.Of(PersonalText.Of(reason), LongestFault) });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Whether a fault is the database's and not the step's: such a run is not an attempt, it simply comes again.
    /// </summary>
    public static bool IsDatabaseFault(Exception fault) => DatabaseFault.MayPass(fault);

    // A fault may quote anything: a reply from outside, a foreign message.
    private static string Describe(Exception fault) =>
        StorableText.Of($"{fault.GetType().Name}: {PersonalText.Of(fault.Message)}", LongestFault);
}
