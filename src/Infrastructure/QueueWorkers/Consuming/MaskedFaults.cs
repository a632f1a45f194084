using MassTransit;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace QueueWorkers.Consuming;

/// <summary>
/// The two places where a fault goes from a step to MassTransit, which logs it, records it in traces and writes it into
/// headers: around the consumer, and at the end of the pipeline (<see cref="Stages.StepPipeline{TStep}"/>). From both
/// it leaves masked.
/// </summary>
internal sealed class MaskedFaults<TStep> : IFilter<ConsumerConsumeContext<TStep>>
    where TStep : class, IStep
{
    public async Task Send(ConsumerConsumeContext<TStep> context, IPipe<ConsumerConsumeContext<TStep>> next)
    {
        try
        {
            await next.Send(context);
        }
        catch (Exception fault) when (PersonalText.Of(fault) is MaskedFaultException masked)
        {
            throw masked;
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("maskedFaults");
}
