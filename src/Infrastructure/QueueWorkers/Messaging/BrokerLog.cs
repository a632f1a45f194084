using Microsoft.Extensions.Logging;

namespace QueueWorkers.Messaging;

/// <summary>Log events of the relay and its connection, 1000–1099.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1000, LogLevel.Warning, "Broker blocked publishing; messages wait in the outbox. {Reason}")]
    public static partial void Blocked(ILogger logger, string reason);

    [LoggerMessage(1001, LogLevel.Information, "Broker took messages again")]
    public static partial void Unblocked(ILogger logger);

    [LoggerMessage(
        1002,
        LogLevel.Warning,
        "Connecting to the broker failed; messages wait in the outbox, next attempt in {Delay}. {Reason}"
    )]
    public static partial void Unreachable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(1003, LogLevel.Information, "Relay connected to the broker")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(1004, LogLevel.Warning, "Reading or writing the outbox failed; next attempt in {Delay}. {Reason}")]
    public static partial void DatabaseUnavailable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(
        1005,
        LogLevel.Warning,
        "Message was rejected by the broker: {MessageId}, exchange '{Exchange}', attempt {Attempt}. {Error}"
    )]
    public static partial void Refused(ILogger logger, Guid messageId, string exchange, int attempt, string error);

    [LoggerMessage(
        1006,
        LogLevel.Error,
        "Message was quarantined after {Attempts} attempts: {MessageId}, exchange '{Exchange}'. {Error}"
    )]
    public static partial void Quarantined(ILogger logger, Guid messageId, string exchange, int attempts, string error);

    [LoggerMessage(
        1008,
        LogLevel.Warning,
        "Exchange took no messages; its rows wait and are tried one at a time: {Exchange} ({Reason})"
    )]
    public static partial void DestinationSlow(ILogger logger, string exchange, string reason);

    [LoggerMessage(1009, LogLevel.Information, "Exchange answers again: {Exchange}")]
    public static partial void DestinationBack(ILogger logger, string exchange);

    [LoggerMessage(1010, LogLevel.Warning, "Bus waited with its start. {Reason}")]
    public static partial void BusWaits(ILogger logger, string reason);

    [LoggerMessage(1007, LogLevel.Error, "Relay loop failed and goes on: {Loop}")]
    public static partial void LoopFailed(ILogger logger, Exception exception, string loop);
}
