using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Reports;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Writes down that an attempt failed, so that whoever asks for the subject sees why it is not done and when it goes
/// on.
/// </summary>
public sealed class StepFailures(NpgsqlDataSource database, IStepProgress progress, RelayFeed relay)
{
    private const int LongestFault = 2000;

    // A step that is done stays done: what failed here is a late copy of its message. An secondary effect (an apology)
    // has only this row to show its own failure in.
    // The attempt itself is written beside it: what the waterfall of a subject is drawn from.
    private static readonly string Record = $"""
        with attempt as (
            insert into step_attempts (subject_id, step, started_at, attempt, next_at, fault, host)
                values ($1, $2, $5, $4, $6, $7, $9) on conflict do nothing)
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, next_attempt_at, last_fault,
            secondary_failed)
        values ($1, $2, $3, $4, $5, case when $3 in (4, 5) then now() end, $6, $7, not $8 and $3 in (4, 5))
        on conflict (subject_id, step) do update set status = excluded.status, attempts = step_runs.attempts + 1,
            finished_at = excluded.finished_at,
            secondary_failed = step_runs.secondary_failed or excluded.secondary_failed,
            next_attempt_at = excluded.next_attempt_at, last_fault = excluded.last_fault,
                started_at = coalesce(step_runs.started_at, excluded.started_at)
            where step_runs.status <> {StepStatus.Done:D} or not $8
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
        var published = await progress.RecordAsync(connection, [new StepChange(run, status)]);
        await using (var command = new NpgsqlCommand(Record, connection))
        {
            command.Parameters.Add(new() { Value = run.SubjectId });
            command.Parameters.Add(new() { Value = run.Step });
            command.Parameters.Add(new() { Value = (short)status });
            command.Parameters.Add(new() { Value = run.Attempt });
            command.Parameters.Add(new() { Value = run.StartedAt });
            command.Parameters.Add(
                new()
                {
                    Value = nextAttempt is { } wait ? DatabaseClock.UtcNow + wait : DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.TimestampTz,
                }
            );
            command.Parameters.Add(new() { Value = Describe(fault) });
            command.Parameters.Add(new() { Value = !run.IsSecondary });
            command.Parameters.Add(new() { Value = Environment.MachineName });
            Failpoint.Hit("steps.before_record_failure", Outside.Database);
            await command.ExecuteNonQueryAsync();
        }

        if (StepReports.For([run]) is { } report)
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { report } };
            await batch.ExecuteNonQueryAsync();
        }

        if (deadLetter is not null)
            await FailureRows.WriteAsync(connection, [deadLetter], CancellationToken.None);
        await OutboxWriter.InsertAsync(connection, published);
        Failpoint.Hit("steps.before_commit_failure", Outside.Database);
        await transaction.CommitAsync();
        Failpoint.Hit("steps.after_commit_failure", Outside.Database);
        foreach (var message in published)
            relay.Offer(message);
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
        command.Parameters.Add(new() { Value = StorableText.Of(reason, LongestFault) });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Whether a fault is the database's and not the step's: such a run is not an attempt, it simply comes again.
    /// </summary>
    public static bool IsDatabaseFault(Exception fault) => DatabaseFault.MayPass(fault);

    // A fault may quote anything: a reply from outside, a foreign message.
    private static string Describe(Exception fault) =>
        StorableText.Of($"{fault.GetType().Name}: {fault.Message}", LongestFault);
}
