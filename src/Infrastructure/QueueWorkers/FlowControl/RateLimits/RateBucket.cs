namespace QueueWorkers.FlowControl.RateLimits;

/// <summary>How far a rate limit has been handed out, over all replicas.</summary>
public sealed class RateBucket
{
    /// <summary>Step, limit and, for a limit per key, the key.</summary>
    public string Name { get; init; } = "";

    /// <summary>The first moment that has not been handed out.</summary>
    public DateTimeOffset NextSlot { get; init; }

    /// <summary>When the last message that found no permit was told to come again.</summary>
    public DateTimeOffset ReturnAt { get; init; }
}
