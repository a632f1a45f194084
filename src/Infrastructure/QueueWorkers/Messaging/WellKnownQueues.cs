namespace QueueWorkers.Messaging;

/// <summary>Queues that exist beside those of the steps.</summary>
public static class WellKnownQueues
{
    /// <summary>Where messages end up that no queue takes.</summary>
    public const string Unrouted = "unrouted";
}
