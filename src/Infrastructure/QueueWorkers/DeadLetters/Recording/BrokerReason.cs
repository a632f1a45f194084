namespace QueueWorkers.DeadLetters.Recording;

/// <summary>Why the broker itself moved a message out of a step's queue, from what it writes into the headers.</summary>
/// <param name="FaultType">The name of the reason, in place of an exception's.</param>
/// <param name="FaultMessage">What happened and what to do.</param>
/// <param name="WasBegun">Whether a consumer had the message before.</param>
internal sealed record BrokerReason(string FaultType, string FaultMessage, bool WasBegun)
{
    /// <summary>Null when it was not the broker.</summary>
    /// <param name="headers">The transport headers, texts as strings.</param>
    /// <param name="step">The step whose queue it was.</param>
    public static BrokerReason? Of(IReadOnlyDictionary<string, object?> headers, string? step)
    {
        // A message carries the fault of its step when the step gave it up, whatever the broker did to it before.
        if (headers.GetValueOrDefault("MT-Fault-ExceptionType") is string)
            return null;
        var queue = headers.GetValueOrDefault("x-last-death-queue") as string ?? step;
        return (
            headers.GetValueOrDefault("x-last-death-reason") ?? headers.GetValueOrDefault("x-first-death-reason")
        ) switch
        {
            "delivery_limit" => new(
                "DeliveryLimit",
                "Its consumers died again and again while they had this message; the broker moved it out of the way.",
                WasBegun: true
            ),
            "expired" => new(
                "ExpiredByPolicy",
                $"The message was expired by a broker policy: it waited in queue '{queue}' longer than the policy's message-ttl. Remove the limit from the policy, then redrive the message.",
                WasBegun: false
            ),
            "maxlen" => new(
                "DroppedByPolicy",
                $"The message was dropped by a broker policy: queue '{queue}' was longer than the policy's max-length. Remove the limit from the policy, then redrive the message.",
                WasBegun: false
            ),
            "rejected" => new(
                "RejectedByConsumer",
                $"A consumer of queue '{queue}' that is no worker of this application rejected the message. Stop that consumer, then redrive the message.",
                WasBegun: true
            ),
            _ => null,
        };
    }
}
