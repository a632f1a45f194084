using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Records that a step is skipped: its subject was cancelled, or its message waited too long. In one transaction, in
/// the lock order of <see cref="StepCommitter"/>:
/// the idempotency row, so that copies of the message are dropped; a look at the effect; the subject's progress; the
/// step's row.
/// No effect row is written: what was left out may be done by a later message. Dying before the commit leaves nothing,
/// and the message comes again.
/// A message whose effect another one has done keeps its key, and what it had left at its step ends
/// (<see cref="DroppedRuns"/>).
/// What expired keeps no idempotency row either: a replay, and a message that somebody publishes again, carry the same
/// id and are to be done. Its copies expire like itself.
/// </summary>
public sealed class SkippedSteps(NpgsqlDataSource database, IStepProgress progress, RelayFeed relay)
{
    private const string Fresh = "insert into idempotency (message_id, step) values ($1, $2) on conflict do nothing";

    private const string Forget = "delete from idempotency where message_id = $1 and step = $2";

    private const string LookAtEffect =
        "select state, lease_until from effects where subject_id = $1 and effect = $2 for update";

    // The step stays failed while another message of it stands in the dead-letter queue.
    private static readonly string Record = $"""
        insert into step_runs (subject_id, step, status, attempts, started_at, finished_at)
            values ($1, $2, $3, 0, null, now())
        on conflict (subject_id, step) do update set next_attempt_at = null, finished_at = now(),
            status = case when step_runs.own_status is null then excluded.status
                when {DeadLetteredSteps.Standing("excluded.subject_id", "excluded.step")} then {StepStatus.Failed:D}
                else excluded.status end,
            own_status = case when step_runs.own_status is null then null
                when {DeadLetteredSteps.Standing("excluded.subject_id", "excluded.step")} then excluded.status end
            where step_runs.status <> {StepStatus.Done:D}
        """;

    /// <summary>Leaves a step out.</summary>
    /// <param name="run">The run that is not to be.</param>
    /// <param name="status">Cancelled or Expired.</param>
    /// <returns>Whether that was possible.</returns>
    /// <exception cref="EffectInProgressException">Another run is at the effect, or died at it a moment ago: look again
    /// when its lease has ended.</exception>
    public async Task<SkipOutcome> TryAsync(StepRun run, StepStatus status)
    {
        Failpoint.Hit("steps.before_skip", Outside.Database);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var isFresh = await ExecuteAsync(connection, Fresh, run.MessageId, run.Step) > 0;
        switch (await EffectOfAsync(connection, run))
        {
            // The key stays: the work of this message is done, by whichever one.
            case (EffectState.Done, _):
                await CommitAsync(connection, transaction, await DroppedRuns.EndAsync(connection, progress, [run]));
                return SkipOutcome.Duplicate;
            case var _ when !isFresh:
                return SkipOutcome.Duplicate;
            case (EffectState.Pending, { } lease) when lease > DatabaseClock.UtcNow:
                throw new EffectInProgressException(run.Effect, run.SubjectId, lease);
            case (EffectState.Pending or EffectState.Uncertain, _):
                return SkipOutcome.MustFinish;
        }

        var published = await progress.RecordAsync(connection, [new StepChange(run, status)]);
        await ExecuteAsync(connection, Record, run.SubjectId, run.Step, (short)status);
        if (status == StepStatus.Expired)
            await ExecuteAsync(connection, Forget, run.MessageId, run.Step);
        await CommitAsync(connection, transaction, published);
        return SkipOutcome.LeftOut;
    }

    private async Task CommitAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<OutboxMessage> published
    )
    {
        await OutboxWriter.InsertAsync(connection, published);
        Failpoint.Hit("steps.before_commit_skip", Outside.Database);
        await transaction.CommitAsync();
        Failpoint.Hit("steps.after_commit_skip", Outside.Database);
        foreach (var message in published)
            relay.Offer(message);
    }

    private static async Task<(EffectState?, DateTimeOffset?)> EffectOfAsync(NpgsqlConnection connection, StepRun run)
    {
        await using var command = new NpgsqlCommand(LookAtEffect, connection);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = run.Effect });
        Failpoint.Hit("steps.before_look_at_effect", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync()
            ? ((EffectState)reader.GetInt16(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1))
            : (null, null);
    }

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("steps.before_write_skip", Outside.Database);
        var rows = await command.ExecuteNonQueryAsync();
        Failpoint.Hit("steps.after_write_skip", Outside.Database);
        return rows;
    }
}

/// <summary>The answer to <see cref="SkippedSteps.TryAsync"/>.</summary>
public enum SkipOutcome
{
    /// <summary>Skips the step.</summary>
    LeftOut,

    /// <summary>
    /// The message or the effect was dealt with before. What the message itself had left at the step is over.
    /// </summary>
    Duplicate,

    /// <summary>
    /// An earlier run began the effect and died: the step has to run, to find out and to end what was begun.
    /// </summary>
    MustFinish,
}
