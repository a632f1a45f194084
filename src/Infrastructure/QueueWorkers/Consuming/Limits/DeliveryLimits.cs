namespace QueueWorkers.Consuming.Limits;

/// <summary>
/// Bounds the bytes of messages in this process, whatever the prefetch of its steps is: how many are worked on at once,
/// and how large one may be.
/// </summary>
internal sealed class DeliveryLimits(ConsumingOptions options)
{
    /// <summary>The largest body that is read.</summary>
    public int LargestMessage => options.LargestMessage;

    /// <summary>How many messages of a size may be held at once; at least one.</summary>
    public int PrefetchFor(int bytes) => Math.Max(1, options.BytesInFlight / Math.Max(1, bytes));

    /// <summary>The bytes that runs of all steps work on at once.</summary>
    public ByteBudget InFlight { get; } = new(options.BytesInFlight);
}
