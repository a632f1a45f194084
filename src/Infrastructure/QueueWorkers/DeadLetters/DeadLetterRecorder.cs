using Npgsql;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace QueueWorkers.DeadLetters;

/// <summary>Shows a step as dead-lettered when its message was dead-lettered without it: the broker gave the message up. A step that is done stays done.</summary>
public sealed class DeadLetterRecorder(IStepProgress progress)
{
    private static readonly string Record = $"""
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, last_fault) values ($1, $2, {StepStatus.Failed:D}, $3, now(), now(), $4)
        on conflict (subject_id, step) do update set status = {StepStatus.Failed:D}, attempts = greatest(step_runs.attempts, excluded.attempts), finished_at = now(), next_attempt_at = null, last_fault = excluded.last_fault
            where step_runs.status <> {StepStatus.Done:D}
        """;

    /// <summary>Writes it in the caller's transaction.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, string step, Guid subjectId, Guid messageId, int attempts, string fault)
    {
        var run = new StepRun(new StepPolicy(step), messageId, subjectId, messageId, attempts, null);
        await OutboxWriter.InsertAsync(connection, await progress.RecordAsync(connection, [new StepChange(run, StepStatus.Failed)]));
        await using var command = new NpgsqlCommand(Record, connection);
        foreach (var value in new object[] { subjectId, step, attempts, fault })
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("deadletter.before_record_step", Outside.Database);
        await command.ExecuteNonQueryAsync();
        Failpoint.Hit("deadletter.after_record_step", Outside.Database);
    }
}
