using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Runs that are dropped because another copy, or another message, has done their work. What their own messages had left
/// at their steps (an attempt to come, dead-lettered, a redrive) is over with them, and nobody else will say so.
/// </summary>
internal static class DroppedRuns
{
    /// <summary>
    /// Ends it, in the caller's transaction, which holds the keys of the messages: the subjects' progress, then the
    /// steps' rows.
    /// </summary>
    /// <returns>Messages for the caller to write into the outbox.</returns>
    public static async Task<IReadOnlyList<OutboxMessage>> EndAsync(
        NpgsqlConnection connection,
        IStepProgress progress,
        IReadOnlyList<StepRun> runs
    )
    {
        var published = await progress.RecordAsync(connection, [.. Changes(runs)]);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Lock(runs), Settle(runs) } };
        Failpoint.Hit("steps.before_clear_up", Outside.Database);
        await batch.ExecuteNonQueryAsync();
        return published;
    }

    /// <summary>What the subjects' progress is told of them.</summary>
    public static IEnumerable<StepChange> Changes(IReadOnlyList<StepRun> runs) =>
        runs.Select(r => new StepChange(r, StepStatus.Skipped));

    /// <summary><see cref="DeadLetteredSteps.Lock"/> for the steps of runs.</summary>
    public static NpgsqlBatchCommand Lock(IReadOnlyList<StepRun> runs)
    {
        var command = new NpgsqlBatchCommand(DeadLetteredSteps.Lock);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Step)] });
        return command;
    }

    /// <summary><see cref="DeadLetteredSteps.Settle"/> for the steps of runs.</summary>
    public static NpgsqlBatchCommand Settle(IReadOnlyList<StepRun> runs)
    {
        var command = new NpgsqlBatchCommand(DeadLetteredSteps.Settle);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Step)] });
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. runs.Select(r => r.IsCompensation)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. runs.Select(r => r.Effect)] });
        return command;
    }
}
