using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Topology;

/// <summary>Log events of the topology check, 4380–4389.</summary>
internal static partial class TopologyLog
{
    [LoggerMessage(4380, LogLevel.Error, "Topology of queue {Queue}: missing {Missing}")]
    public static partial void Missing(ILogger logger, string queue, string missing);

    [LoggerMessage(4381, LogLevel.Warning, "Queue {Queue} is complete again; {Count} messages that may have been lost are sent again")]
    public static partial void SentAgain(ILogger logger, string queue, int count);

    [LoggerMessage(4382, LogLevel.Warning, "Topology of queue {Queue} cannot be repaired from here ({Reason})")]
    public static partial void CannotRepair(ILogger logger, string queue, string reason);

    [LoggerMessage(4383, LogLevel.Warning, "The topology cannot be checked now ({Reason}); next try in {Delay}")]
    public static partial void CannotLook(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4384, LogLevel.Error, "The check of the topology failed and goes on")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(4385, LogLevel.Warning, "Queue {Queue} has limits by policy {Policy}: {Limits}. Messages over them are dropped or refused")]
    public static partial void Limited(ILogger logger, string queue, string policy, string limits);

    [LoggerMessage(4386, LogLevel.Information, "Redrive {Redrive} sends {Count} messages again that no queue took meanwhile")]
    public static partial void Redriven(ILogger logger, Guid redrive, int count);
}
