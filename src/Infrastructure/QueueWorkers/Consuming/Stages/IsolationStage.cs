using MassTransit;
using QueueWorkers.Consuming.Acknowledgement;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.Steps;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Lets a message whose processes have died run alone and marked, and dead-letters it after two deaths alone
/// (<see cref="PoisonGuard"/>). All other messages pass without a query.
/// A crash here leaves the mark: the next delivery counts it as a death.
/// Next: <see cref="RunStage{TStep}"/>.
/// </summary>
internal sealed class IsolationStage<TStep>(PoisonGuard poison, RunStage<TStep> next)
    where TStep : class, IStep
{
    /// <summary>Runs the step, alone if it has to.</summary>
    /// <exception cref="PoisonMessageException">The message is to be dead-lettered.</exception>
    public async Task RunAsync<T>(ConsumeContext<T> context, StepRun run, Func<CancellationToken, Task> consume)
        where T : class
    {
        await using var pass = await poison.EnterAsync(run, LostDeliveries.Of(context), context.CancellationToken);
        try
        {
            await next.RunAsync(context, run, consume);
        }
        catch (Exception fault)
            when (fault is EffectInProgressException
                || StepFailures.IsDatabaseFault(fault)
                || context.CancellationToken.IsCancellationRequested
            )
        {
            pass.PutOff();
            throw;
        }
    }
}
