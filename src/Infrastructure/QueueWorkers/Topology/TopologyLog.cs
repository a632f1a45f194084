using Microsoft.Extensions.Logging;

namespace QueueWorkers.Topology;

/// <summary>Log events of the topology check, 4380–4389.</summary>
internal static partial class TopologyLog
{
    [LoggerMessage(4380, LogLevel.Error, "Topology was found incomplete: queue {Queue} misses {Missing}")]
    public static partial void Missing(ILogger logger, string queue, string missing);

    [LoggerMessage(
        4381,
        LogLevel.Warning,
        "Topology was repaired: queue {Queue}; {Count} messages that may have been lost are sent again"
    )]
    public static partial void SentAgain(ILogger logger, string queue, int count);

    [LoggerMessage(4382, LogLevel.Warning, "Topology could not be repaired from here: queue {Queue}. {Reason}")]
    public static partial void CannotRepair(ILogger logger, string queue, string reason);

    [LoggerMessage(4383, LogLevel.Warning, "Checking the topology failed; next attempt in {Delay}. {Reason}")]
    public static partial void CannotLook(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4384, LogLevel.Error, "Checking the topology failed unexpectedly; it goes on")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        4385,
        LogLevel.Warning,
        "Queue has limits by policy, messages over them are dropped or refused: {Queue}, policy {Policy}, {Limits}"
    )]
    public static partial void Limited(ILogger logger, string queue, string policy, string limits);

    [LoggerMessage(
        4386,
        LogLevel.Information,
        "Messages that no queue had taken were sent again: redrive {Redrive}, {Count} messages"
    )]
    public static partial void Redriven(ILogger logger, Guid redrive, int count);

    [LoggerMessage(
        4387,
        LogLevel.Warning,
        "Queue {Queue} lost messages by a policy that is gone; {Count} of them are put back"
    )]
    public static partial void PutBack(ILogger logger, string queue, int count);
}
