using Npgsql;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Failures;

/// <summary>Shows a step as parked when its message was parked without it: the broker gave the message up. A step that is done stays done.</summary>
public sealed class RecordParked(IStepProgress progress)
{
    private const string Record = """
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at, last_fault) values ($1, $2, 4, $3, now(), now(), $4)
        on conflict (subject_id, step) do update set status = 4, attempts = greatest(step_runs.attempts, excluded.attempts), finished_at = now(), next_attempt_at = null, last_fault = excluded.last_fault
            where step_runs.status <> 2
        """;

    /// <summary>Writes it in the caller's transaction.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, string step, Guid subjectId, Guid messageId, int attempts, string fault)
    {
        var run = new StepRun(new StepPolicy(step), messageId, subjectId, messageId, attempts, null);
        await OutboxWriter.InsertAsync(connection, await progress.RecordAsync(connection, [new StepChange(run, StepStatus.Parked)]));
        await using var command = new NpgsqlCommand(Record, connection);
        foreach (var value in new object[] { subjectId, step, attempts, fault })
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("parked.before_record_step", Outside.Database);
        await command.ExecuteNonQueryAsync();
        Failpoint.Hit("parked.after_record_step", Outside.Database);
    }
}
