using System.Runtime.ExceptionServices;
using MassTransit;
using MassTransit.Middleware;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// The order of the stages of one message. MassTransit calls <see cref="Send"/> once per attempt, inside its redelivery
/// and retry filters: <see cref="StepEndpoint"/> adds MassTransit's outbox filter to each step's endpoint, and that
/// filter resolves the step's <see cref="IOutboxContextFactory{TContext}"/>, which <see cref="StageServices"/> registers
/// as this class. Returning acknowledges the message; throwing hands it to retry, redelivery or <c>_error</c>.
/// 1. <see cref="ReceiveStage{TStep}"/> makes a run of the message.
/// 2. <see cref="SkipStage{TStep}"/> leaves out what was cancelled or has expired.
/// 3. <see cref="AdmissionStage{TStep}"/> asks the step's gate.
/// 4. <see cref="IsolationStage{TStep}"/> lets a message whose processes have died run alone.
/// 5. <see cref="RunStage{TStep}"/> runs the consumer with a time limit.
/// 6. <see cref="CommitStage{TStep}"/> commits the run together with others.
/// 7. <see cref="AcknowledgeStage"/>: the message leaves its queue.
/// 8. <see cref="FaultStage{TStep}"/>, in place of 6 and 7: <see cref="DeferStage{TStep}"/> or
///    <see cref="FailureStage{TStep}"/>.
/// At shutdown nothing is recorded: the message is not acked and returns to its queue. docs/message-lifecycle.md has the
/// same list with links.
/// </summary>
/// <typeparam name="TStep">The step.</typeparam>
internal sealed class StepPipeline<TStep>(
    ReceiveStage<TStep> receive,
    SkipStage<TStep> skip,
    AdmissionStage<TStep> admission,
    IsolationStage<TStep> isolation,
    FaultStage<TStep> faults,
    IServiceProvider provider
) : IOutboxContextFactory<TStep>
    where TStep : class, IStep
{
    public async Task Send<T>(
        ConsumeContext<T> context,
        OutboxConsumeOptions options,
        IPipe<OutboxConsumeContext<T>> next
    )
        where T : class
    {
        var flow = RunFlow.Begin();
        using var span = AttemptSpan.Begin(context, TStep.Policy.Name);
        var run = receive.Begin(context);
        flow.Scope = new RunScope(run, context);
        AttemptSpan.Describe(span, run);
        var entered = false;
        try
        {
            // After a quiet time this process knows nothing new: it asks before it begins. While messages come, the
            // polls keep both fresh and nobody waits here.
            await skip.FreshenAsync(context.CancellationToken);
            await admission.FreshenAsync(context.CancellationToken);
            if (await skip.IsLeftOutAsync(context, run))
            {
                AttemptSpan.End(span, "skipped");
                await AcknowledgeStage.MarkConsumedAsync(context, run.Step);
                return;
            }

            entered = await admission.EnterAsync(context, run);
            if (!entered)
            {
                AttemptSpan.End(span, "deferred");
                return;
            }

            await isolation.RunAsync(
                context,
                run,
                token => ConsumeAsync(next, new StepConsumeContext<T>(context, options, provider, run, token))
            );
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested)
        {
            if (await faults.IsDeferredAsync(context, run, fault, entered))
            {
                AttemptSpan.End(span, "deferred");
                return;
            }

            AttemptSpan.Fail(span, fault);
            if (PersonalText.Of(fault) is MaskedFaultException masked)
                throw masked;
            throw;
        }
        finally
        {
            if (entered)
                admission.Leave(run);
        }
    }

    // The stages decide by the fault as it was thrown.
    private static async Task ConsumeAsync<T>(IPipe<OutboxConsumeContext<T>> next, StepConsumeContext<T> context)
        where T : class
    {
        try
        {
            await next.Send(context);
        }
        catch (MaskedFaultException masked)
        {
            ExceptionDispatchInfo.Throw(masked.Original);
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("step").Add("name", TStep.Policy.Name);
}
