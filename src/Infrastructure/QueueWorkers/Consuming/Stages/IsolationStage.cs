using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Consuming.Acknowledgement;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Lets a message whose processes have died run alone and marked, and dead-letters it after two deaths alone
/// (<see cref="PoisonGuard"/>). A copy of what was dead-lettered that way is dropped. All other messages pass without a
/// query.
/// A crash here leaves the mark: the next delivery counts it as a death.
/// Next: <see cref="RunStage{TStep}"/>, or <see cref="AcknowledgeStage"/> for a copy.
/// </summary>
internal sealed class IsolationStage<TStep>(
    PoisonGuard poison,
    RunStage<TStep> next,
    DuplicateEvidence duplicates,
    StepMetrics metrics,
    ILogger<TStep> logger
)
    where TStep : class, IStep
{
    /// <summary>Runs the step, alone if it has to.</summary>
    /// <exception cref="PoisonMessageException">The message is to be dead-lettered.</exception>
    public async Task RunAsync<T>(ConsumeContext<T> context, StepRun run, Func<CancellationToken, Task> consume)
        where T : class
    {
        var lost = LostDeliveries.Of(context);
        var past = lost == 0 && !poison.Knows(run) ? default : MessagePast.Of(context, lost);
        await using var pass = await poison.EnterAsync(run, past, context.CancellationToken);
        if (pass.IsCopyOfDeadLetter)
        {
            PoisonLog.CopyDropped(logger, run.Step, run.MessageId);
            var cause = DuplicateCauses.Of(context);
            metrics.Duplicate(run, cause);
            duplicates.Add(run.SubjectId, run.Step, run.Effect, run.MessageId, cause);
            await AcknowledgeStage.MarkConsumedAsync(context, run.Step);
            return;
        }

        try
        {
            await next.RunAsync(context, run, consume);
        }
        catch (Exception fault)
            when (fault is StepDeferredException
                || StepFailures.IsDatabaseFault(fault)
                || context.CancellationToken.IsCancellationRequested
            )
        {
            pass.PutOff();
            throw;
        }
    }
}
