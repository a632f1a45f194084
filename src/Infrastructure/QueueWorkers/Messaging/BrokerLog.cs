using Microsoft.Extensions.Logging;

namespace QueueWorkers.Messaging;

/// <summary>Log events of the relay and its connection, 1000–1099.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1000, LogLevel.Warning, "The broker blocks publishing ({Reason}); messages wait in the outbox")]
    public static partial void Blocked(ILogger logger, string reason);

    [LoggerMessage(1001, LogLevel.Information, "The broker takes messages again")]
    public static partial void Unblocked(ILogger logger);

    [LoggerMessage(
        1002,
        LogLevel.Warning,
        "The broker cannot be reached ({Reason}); messages wait in the outbox, next try in {Delay}"
    )]
    public static partial void Unreachable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(1003, LogLevel.Information, "The relay is connected to the broker")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(1004, LogLevel.Warning, "The outbox cannot be read or written ({Reason}); next try in {Delay}")]
    public static partial void DatabaseUnavailable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(
        1005,
        LogLevel.Warning,
        "Message {MessageId} for '{Exchange}' was refused (attempt {Attempt}): {Error}"
    )]
    public static partial void Refused(ILogger logger, Guid messageId, string exchange, int attempt, string error);

    [LoggerMessage(
        1006,
        LogLevel.Error,
        "Message {MessageId} for '{Exchange}' is quarantined after {Attempts} attempts: {Error}"
    )]
    public static partial void Quarantined(ILogger logger, Guid messageId, string exchange, int attempts, string error);

    [LoggerMessage(1007, LogLevel.Error, "The relay's {Loop} loop failed and goes on")]
    public static partial void LoopFailed(ILogger logger, Exception exception, string loop);
}
