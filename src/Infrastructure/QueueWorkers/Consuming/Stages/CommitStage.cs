using MassTransit;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Commits a run together with others (<see cref="StepCommitter"/>). A copy of a message that was committed before is
/// dropped as a whole.
/// A crash before the commit leaves nothing. A crash after it and before the acknowledgement brings a copy, which is
/// dropped here.
/// Next: <see cref="AcknowledgeStage"/>.
/// </summary>
internal sealed class CommitStage<TStep>(StepCommitter committer, StepMetrics metrics, DuplicateEvidence duplicates)
    where TStep : class, IStep
{
    /// <summary>Commits.</summary>
    /// <returns>Whether the run was written; false when it was dropped as a copy.</returns>
    public async Task<bool> CommitAsync(ConsumeContext context, StepRun run)
    {
        // A run is pure data and safe to commit twice, so it waits for a database that is away: what was done outside
        // is known now and might not be after a restart.
        var applied = false;
        await DatabaseRetry.RunAsync(
            async () => applied = await committer.CommitAsync(run),
            context.CancellationToken,
            RefusedSince.LongestCommit
        );
        if (applied)
        {
            AttemptSpan.End(run.Trace, run.Rejection is null ? "done" : "rejected");
            metrics.Finished(run);
            return true;
        }

        var cause = DuplicateCauses.Of(context);
        AttemptSpan.End(run.Trace, "duplicate");
        metrics.Duplicate(run, cause);
        duplicates.Add(run.SubjectId, run.Step, run.Effect, run.MessageId, cause);
        return false;
    }
}
