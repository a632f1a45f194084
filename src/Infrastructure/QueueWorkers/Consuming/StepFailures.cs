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

    private static readonly string Ended = $"$3 in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})";

    // A step that is done stays done when what failed is a late copy of its message. A secondary effect (an apology),
    // and a message that failed before its consumer could say that it is one, have only this row to show their failure
    // in; the step's own status is kept beside it.
    // Another message of the step that stands in the dead-letter queue keeps it failed while this one is retried.
    // The attempt itself is written beside it: what the waterfall of a subject is drawn from.
    private static readonly string Record = $"""
        with attempt as (
            insert into step_attempts (subject_id, step, started_at, attempt, next_at, fault, host)
                values ($1, $2, $5, $4, $6, $7, $9) on conflict do nothing),
        dead as (select {DeadLetteredSteps.Standing("$1", "$2")} as stands)
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, next_attempt_at, last_fault,
            own_status)
        values ($1, $2, $3, $4, $5, case when {Ended} then now() end, $6, $7,
            case when not $8 then {StepStatus.Waiting:D} end)
        on conflict (subject_id, step) do update set attempts = step_runs.attempts + 1,
            status = case when {Ended} or not (select stands from dead) then excluded.status
                when step_runs.status = {StepStatus.Uncertain:D} then step_runs.status
                else {StepStatus.Failed:D} end,
            own_status = case when not $8 or step_runs.status = {StepStatus.Done:D}
                then coalesce(step_runs.own_status, step_runs.status)
                when step_runs.own_status is not null then excluded.status end,
            finished_at = case when not {Ended} and (select stands from dead)
                then coalesce(step_runs.finished_at, now()) else excluded.finished_at end,
            next_attempt_at = excluded.next_attempt_at, last_fault = excluded.last_fault,
            started_at = coalesce(step_runs.started_at, excluded.started_at)
            where step_runs.status <> {StepStatus.Done:D} or not $8 or ({Ended} and (select stands from dead))
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
        // First: what follows finds the message among those that stand in the dead-letter queue.
        if (deadLetter is not null)
            await FailureRows.WriteAsync(connection, [deadLetter], CancellationToken.None);
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
