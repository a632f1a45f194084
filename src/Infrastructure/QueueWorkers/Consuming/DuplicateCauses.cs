using MassTransit;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;

namespace QueueWorkers.Consuming;

/// <summary>Why a message came although its work was done, as far as the message itself can say.</summary>
internal static class DuplicateCauses
{
    public static DuplicateCause Of(ConsumeContext context)
    {
        if (context.Headers.TryGetHeader(RedriveCount.Header, out _))
            return DuplicateCause.Redrive;
        if (context.ReceiveContext.Redelivered)
            return DuplicateCause.Redelivery;
        return context.GetRedeliveryCount() > 0 ? DuplicateCause.DelayedCopy : DuplicateCause.DoublePublish;
    }

    /// <summary>The cause in metrics.</summary>
    public static string NameOf(DuplicateCause cause) =>
        cause switch
        {
            DuplicateCause.Redelivery => "redelivery",
            DuplicateCause.DoublePublish => "double-publish",
            DuplicateCause.Redrive => "redrive",
            DuplicateCause.RepeatedPost => "repeated-post",
            DuplicateCause.DelayedCopy => "delayed-copy",
            DuplicateCause.OtherMessage => "other-message",
            _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Expected a known cause of a duplicate."),
        };
}
