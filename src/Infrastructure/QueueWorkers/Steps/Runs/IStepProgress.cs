using Npgsql;
using QueueWorkers.Outbox;

namespace QueueWorkers.Steps.Runs;

/// <summary>
/// What the application derives from the steps of a subject: implemented once, called inside every commit that changes
/// a step.
/// </summary>
public interface IStepProgress
{
    /// <summary>
    /// Records changes of steps and returns messages to go out with the same commit, such as "the last step is done".
    /// </summary>
    /// <remarks>
    /// A run whose subject was cancelled before this commit is withdrawn here: what it did stays recorded, and what it
    /// wanted sent is not sent.
    /// </remarks>
    /// <param name="connection">The open transaction. Implementations lock their rows in the order of the subjects'
    /// ids, so that two processes cannot wait for each other in a circle.</param>
    /// <param name="changes">At least one; several may concern one subject.</param>
    Task<IReadOnlyList<OutboxMessage>> RecordAsync(NpgsqlConnection connection, IReadOnlyList<StepChange> changes);
}

/// <summary>A step of a subject has changed.</summary>
/// <param name="Run">The run that changed it.</param>
/// <param name="Status">What it is now: Done, Rejected, Retrying, Dead-lettered, Uncertain, Cancelled or
/// Expired.</param>
public readonly record struct StepChange(StepRun Run, StepStatus Status);
