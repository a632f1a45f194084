using MassTransit;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Asks the step's gate (<see cref="StepGate"/>) whether a run may begin: the step may be paused or throttled, or what
/// it depends on may be down. A message that may not begin is deferred without an attempt.
/// A crash here costs nothing: the message is not acked and is delivered again.
/// Next: <see cref="IsolationStage{TStep}"/>, or <see cref="DeferStage{TStep}"/>.
/// </summary>
internal sealed class AdmissionStage<TStep>(StepGates gates, DeferStage<TStep> defer)
    where TStep : class, IStep
{
    /// <summary>Learns, after a quiet time, what operators and other replicas have set meanwhile.</summary>
    public ValueTask FreshenAsync(CancellationToken cancellationToken) => gates.FreshenAsync(cancellationToken);

    /// <summary>Whether the run may begin; <see cref="Leave"/> has to follow. If not, the message is deferred.</summary>
    public async Task<bool> EnterAsync<T>(ConsumeContext<T> context, StepRun run)
        where T : class
    {
        var admitted = await gates
            .Of(run.Step)
            .EnterAsync(
                run.MessageId,
                run.Attempt,
                Deferral.CountOf(context, DeferralCause.RetryBudget),
                run.Keys,
                context.CancellationToken
            );
        if (admitted is not { RetryAt: { } at })
            return true;
        await defer.RefusedAsync(context, run, at, admitted);
        return false;
    }

    /// <summary>The run has ended: its place is free.</summary>
    public void Leave(StepRun run) => gates.Of(run.Step).Leave(run.MessageId);
}
