using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.Cancellation;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Leaves out a message whose subject was cancelled or whose start deadline has passed, and records that
/// (<see cref="SkippedSteps"/>). <see cref="RunStage{TStep}"/> asks again when a run fails: its subject may have been
/// cancelled meanwhile.
/// A crash before the record brings the message again. A crash after the record brings a copy, which is skipped too.
/// Next: <see cref="AdmissionStage{TStep}"/>, or <see cref="AcknowledgeStage"/> for what was left out.
/// </summary>
internal sealed class SkipStage<TStep>(
    SkippedSteps skips,
    Cancellations cancellations,
    StepMetrics metrics,
    ILogger<TStep> logger
)
    where TStep : class, IStep
{
    /// <summary>Learns, after a quiet time, what was cancelled meanwhile.</summary>
    public ValueTask FreshenAsync(CancellationToken cancellationToken) => cancellations.FreshenAsync(cancellationToken);

    /// <summary>Whether the message was left out before its run.</summary>
    public async Task<bool> IsLeftOutAsync(ConsumeContext context, StepRun run)
    {
        // No query on the normal way: what is cancelled is known in memory, and the time a message has is in its
        // envelope.
        if (run.IsCompensation)
            return false;
        if (cancellations.Contains(run.SubjectId))
            return await SkipAsync(context, run, StepStatus.Cancelled, "its subject was cancelled");
        // Only the first attempt can be too late: what was begun is brought to an end.
        if (run.Attempt > 1 || StartBefore(context, run.Policy) is not { } until || until > DatabaseClock.UtcNow)
            return false;
        StepLog.Expired(logger, run.Step, run.SubjectId, run.MessageId, until);
        return await SkipAsync(context, run, StepStatus.Expired, "it was not begun in time");
    }

    /// <summary>Whether a run failed because its subject is cancelled, as far as this process knows.</summary>
    public bool IsCancelled(StepRun run, Exception fault) =>
        fault is SubjectCancelledException
        || (
            !run.IsCompensation
            && !run.MustFinish
            && fault is not StepDeferredException
            && cancellations.Contains(run.SubjectId)
            && !StepFailures.IsDatabaseFault(fault)
        );

    /// <summary>
    /// Whether the database knows of a cancellation. Asked before a message is dead-lettered: this process hears of
    /// cancellations only once a second.
    /// </summary>
    public async Task<bool> WasCancelledAsync(StepRun run, CancellationToken cancellationToken)
    {
        var was = false;
        if (!run.IsCompensation && !run.MustFinish)
            await DatabaseRetry.RunAsync(
                async () => was = await cancellations.ReadAsync(run.SubjectId, cancellationToken),
                cancellationToken
            );
        return was;
    }

    /// <summary>Records a failed run as cancelled; false when an earlier run has begun the effect.</summary>
    public Task<bool> CancelAsync(ConsumeContext context, StepRun run, Exception fault) =>
        SkipAsync(context, run, StepStatus.Cancelled, fault.Message);

    private static DateTimeOffset? StartBefore(ConsumeContext context, StepPolicy policy)
    {
        DateTimeOffset? own = context.ExpirationTime is { } expiry
            ? new DateTimeOffset(expiry.ToUniversalTime())
            : null;
        DateTimeOffset? usual =
            policy.StartWithin is { } within && context.SentTime is { } sent
                ? new DateTimeOffset(sent.ToUniversalTime()) + within
                : null;
        return own < usual ? own : usual ?? own;
    }

    private async Task<bool> SkipAsync(ConsumeContext context, StepRun run, StepStatus status, string reason)
    {
        var outcome = SkipOutcome.LeftOut;
        await DatabaseRetry.RunAsync(
            async () => outcome = await skips.TryAsync(run, status),
            context.CancellationToken
        );
        if (outcome == SkipOutcome.MustFinish)
        {
            run.MustFinish = true;
            return false;
        }

        StepLog.LeftOut(
            logger,
            run.Step,
            run.SubjectId,
            run.MessageId,
            outcome == SkipOutcome.Duplicate ? "it was dealt with before" : reason
        );
        if (outcome == SkipOutcome.Duplicate)
            metrics.Duplicate(run, DuplicateCauses.Of(context));
        else
            metrics.LeftOut(run, status);
        return true;
    }
}
