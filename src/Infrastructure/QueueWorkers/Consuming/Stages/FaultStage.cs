using MassTransit;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Classifies the fault of a run. Three kinds consume no attempt: the step defers its message (another run is at the
/// same effect), the database is away or refuses a statement (for a limited time, <see cref="RefusedSince"/>), the
/// step's dependency is down. Everything else is a failed attempt.
/// A crash here costs nothing: the message is not acked and is delivered again.
/// Next: <see cref="DeferStage{TStep}"/> or <see cref="FailureStage{TStep}"/>.
/// </summary>
internal sealed class FaultStage<TStep>(
    RefusedSince refusals,
    StepGates gates,
    DeferStage<TStep> defer,
    FailureStage<TStep> failure
)
    where TStep : class, IStep
{
    /// <summary>
    /// Deals with a fault. True: the message is deferred, and is to be acked. False: the failed attempt is recorded,
    /// and the fault is to be thrown on to MassTransit.
    /// </summary>
    /// <param name="context">The message.</param>
    /// <param name="run">Its run.</param>
    /// <param name="fault">What ended it.</param>
    /// <param name="entered">Whether the gate had let it in: only then the fault says something about the
    /// dependency.</param>
    public async Task<bool> IsDeferredAsync<T>(ConsumeContext<T> context, StepRun run, Exception fault, bool entered)
        where T : class
    {
        if (fault is StepDeferredException busy)
        {
            await defer.UntilLaterAsync(context, run, busy);
            return true;
        }

        if (refusals.IsWait(context, fault))
        {
            await defer.UntilDatabaseAsync(context, run, fault);
            return true;
        }

        if (
            entered
            && !StepFailures.IsDatabaseFault(fault)
            && await JudgeAsync(run, fault, context.CancellationToken) is { RetryAt: { } at } down
        )
        {
            // What it asked for itself holds while its breaker decides, too. Trials are made with other messages.
            var requested =
                DatabaseClock.UtcNow
                + StepSchedule.WithJitter(
                    StepSchedule.RequestedWait(fault),
                    run.MessageId,
                    context.GetRedeliveryCount()
                );
            await defer.UntilDependencyAsync(context, run, fault, at > requested ? at : requested, down);
            return true;
        }

        await failure.RecordAsync(context, run, fault);
        return false;
    }

    // A refusal of this message that came from what the step depends on means that somebody is there to refuse. Any
    // other fault may have come before the call (a killer that was not run, a claim that nobody can settle, a mail that
    // could not be written): it says nothing. Leaving the gate gives a trial to the next message.
    private async ValueTask<AdmissionResult> JudgeAsync(
        StepRun run,
        Exception fault,
        CancellationToken cancellationToken
    )
    {
        if (gates.DependencyOf(run.Step) is not { } dependency)
            return AdmissionResult.Granted;
        if (dependency.Dependency.IsAtFault(fault) || fault is StepTimeoutException)
            return await dependency.FailedAsync(
                run.MessageId,
                StorableText.Of(PersonalText.Of(fault.Message), 2000),
                dependency.Dependency.IsOutage(fault),
                cancellationToken
            );
        if (fault is PermanentFaultException { IsAnswer: true })
            await dependency.SucceededAsync(run.MessageId, cancellationToken);
        return AdmissionResult.Granted;
    }
}
