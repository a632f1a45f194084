using MassTransit;
using QueueWorkers.Consuming.Acknowledgement;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Returning from <see cref="StepPipeline{TStep}"/> is the acknowledgement: MassTransit then acks the delivery, and
/// <see cref="SharedAcks"/> lets neighbours share one acknowledgement. A message that its consumer has not seen to the
/// end has to be marked as consumed first.
/// A crash before the acknowledgement brings a copy, which <see cref="CommitStage{TStep}"/> drops. This is the last
/// stage.
/// </summary>
internal static class AcknowledgeStage
{
    /// <summary>
    /// Marks a message that was left out or deferred as consumed. MassTransit would move it to <c>_skipped</c>
    /// otherwise, where it would stand as a failure: its consumer has not seen it, or has thrown.
    /// </summary>
    public static Task MarkConsumedAsync<T>(ConsumeContext<T> context, string step)
        where T : class => context.NotifyConsumed(context, context.ReceiveContext.ElapsedTime, step);
}
