using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Runs the step's consumer within its time limit (<see cref="TimeLimit"/>). What the consumer wants written is
/// collected in its <see cref="StepRun"/>.
/// A crash here leaves nothing behind but a claim (<see cref="Steps.Claims.EffectClaims"/>), if the step has made one:
/// the message is delivered again. A claim that the run has not accepted, or could not release, is taken back here,
/// before anything else.
/// Next: <see cref="CommitStage{TStep}"/>; <see cref="SkipStage{TStep}"/> if the run failed because its subject was
/// cancelled; <see cref="FaultStage{TStep}"/> for every other fault.
/// </summary>
internal sealed class RunStage<TStep>(
    TimeLimit limit,
    SkipStage<TStep> skip,
    StepGates gates,
    CommitStage<TStep> commit,
    ILogger<TStep> logger
)
    where TStep : class, IStep
{
    /// <summary>Runs and commits.</summary>
    public async Task RunAsync<T>(ConsumeContext<T> context, StepRun run, Func<CancellationToken, Task> consume)
        where T : class
    {
        try
        {
            await RunAsync(run, consume, context.CancellationToken);
        }
        catch (Exception fault)
            when (!context.CancellationToken.IsCancellationRequested && skip.IsCancelled(run, fault))
        {
            // Whatever stopped it, nobody waits for it any more: no further attempt. Unless an earlier run began the
            // effect: then the fault is one like any other.
            if (!await skip.CancelAsync(context, run, fault))
                throw;
            await AcknowledgeStage.MarkConsumedAsync(context, run.Step);
            return;
        }
        catch (Exception fault)
            when (!context.CancellationToken.IsCancellationRequested && IsDeadLetteredBy(context, run, fault))
        {
            // Perhaps it failed because its subject was cancelled (a pick list that comes after its recall is refused
            // for good), of which this process hears only once a second. Before an operator is bothered, it asks.
            if (
                !await skip.WasCancelledAsync(run, context.CancellationToken)
                || !await skip.CancelAsync(context, run, fault)
            )
                throw;
            await AcknowledgeStage.MarkConsumedAsync(context, run.Step);
            return;
        }

        if (run.HasNothingToDo)
            return;
        // What was done before was perhaps not called again: such a run says nothing about the dependency.
        if (await commit.CommitAsync(context, run) && gates.DependencyOf(run.Step) is { } dependency)
            await dependency.SucceededAsync(run.MessageId, context.CancellationToken);
    }

    private async Task RunAsync(StepRun run, Func<CancellationToken, Task> consume, CancellationToken cancellationToken)
    {
        try
        {
            await limit.RunAsync(run, consume, logger, cancellationToken);
        }
        catch when (!cancellationToken.IsCancellationRequested)
        {
            await SettleClaimAsync(run, cancellationToken);
            throw;
        }

        await SettleClaimAsync(run, cancellationToken);
    }

    // A claim that the run has not accepted, or could not release. Whatever comes next (a skip, another attempt, a
    // compensation) must not take the effect for begun; and a run that was abandoned must not begin it beside its
    // successor. A statement that stays refused (a right is missing) is waited for outside of this slot.
    private static Task SettleClaimAsync(StepRun run, CancellationToken cancellationToken) =>
        run.HasOpenClaim
            ? DatabaseRetry.RunAsync(
                () => run.SettleOpenClaimAsync(cancellationToken),
                cancellationToken,
                RefusedSince.LongestCommit
            )
            : Task.CompletedTask;

    private static bool IsDeadLetteredBy(ConsumeContext context, StepRun run, Exception fault) =>
        fault is not StepDeferredException
        && !StepFailures.IsDatabaseFault(fault)
        && StepSchedule.NextAttempt(
            run.Policy,
            fault,
            run.MessageId,
            context.GetRedeliveryCount(),
            context.GetRetryAttempt()
        )
            is null;
}
