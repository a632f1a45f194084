using Microsoft.Extensions.Logging;

namespace QueueWorkers.DeadLetters;

/// <summary>Log events of the index of failures, 4000–4049.</summary>
internal static partial class FailureLog
{
    [LoggerMessage(4000, LogLevel.Warning, "Messages without an index entry were indexed: {Count} in {Queue}")]
    public static partial void Found(ILogger logger, int count, string queue);

    [LoggerMessage(
        4001,
        LogLevel.Warning,
        "Indexed messages had left their queue by hand (purged or moved), their rows were closed as Gone: {Count} of {Queue}"
    )]
    public static partial void Gone(ILogger logger, int count, string queue);

    [LoggerMessage(4002, LogLevel.Information, "Redriven or archived messages were removed: {Count} from {Queue}")]
    public static partial void Removed(ILogger logger, int count, string queue);

    [LoggerMessage(
        4012,
        LogLevel.Information,
        "A message was dead-lettered in several copies, all but one were removed: {Count} from {Queue}"
    )]
    public static partial void CopiesRemoved(ILogger logger, int count, string queue);

    [LoggerMessage(4003, LogLevel.Information, "Restored messages were put back: {Count} into {Queue}")]
    public static partial void PutBack(ILogger logger, int count, string queue);

    [LoggerMessage(
        4004,
        LogLevel.Information,
        "Indexed messages were done by another copy, their rows were closed: {Count} of {Queue}"
    )]
    public static partial void DoneElsewhere(ILogger logger, int count, string queue);

    [LoggerMessage(4005, LogLevel.Warning, "Comparing index and queues failed; next attempt in {Delay}. {Reason}")]
    public static partial void CannotLook(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4006, LogLevel.Error, "Comparing index and queues failed unexpectedly; it goes on")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        4009,
        LogLevel.Warning,
        "Dead letters that no worker had recorded were recorded as failed steps: {Count}"
    )]
    public static partial void Settled(ILogger logger, int count);

    [LoggerMessage(
        4008,
        LogLevel.Error,
        "Reading a queue failed; the other queues go on, and it is tried again: {Queue}"
    )]
    public static partial void QueueFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(
        4010,
        LogLevel.Warning,
        "Reading a queue took longer than its lease; another process goes on: {Queue}"
    )]
    public static partial void LookLost(ILogger logger, string queue);

    [LoggerMessage(4007, LogLevel.Warning, "Quarantined outbox rows were indexed: {Count}")]
    public static partial void QuarantineFound(ILogger logger, int count);

    [LoggerMessage(
        4011,
        LogLevel.Warning,
        "Queue could not be read and was skipped: {Queue}. {Reason}. Run `deploy` if its step is still in use"
    )]
    public static partial void QueueMissing(ILogger logger, string queue, string reason);
}
