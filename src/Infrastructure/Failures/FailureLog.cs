using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Failures;

/// <summary>Log events of the index of failures, 4000–4049.</summary>
internal static partial class FailureLog
{
    [LoggerMessage(4000, LogLevel.Warning, "{Count} messages stood in {Queue} without being indexed; they are indexed now")]
    public static partial void Found(ILogger logger, int count, string queue);

    [LoggerMessage(4001, LogLevel.Warning, "{Count} indexed messages are not in {Queue} any more: somebody purged or moved them by hand; their rows are closed as Gone")]
    public static partial void Gone(ILogger logger, int count, string queue);

    [LoggerMessage(4002, LogLevel.Information, "{Count} messages that were sent again or archived are taken out of {Queue}")]
    public static partial void Removed(ILogger logger, int count, string queue);

    [LoggerMessage(4003, LogLevel.Information, "{Count} restored messages are put back into {Queue}")]
    public static partial void PutBack(ILogger logger, int count, string queue);

    [LoggerMessage(4004, LogLevel.Information, "{Count} indexed messages of {Queue} were done by another copy of the same message; their rows are closed")]
    public static partial void DoneElsewhere(ILogger logger, int count, string queue);

    [LoggerMessage(4005, LogLevel.Warning, "Index and queues cannot be compared now ({Reason}); next try in {Delay}")]
    public static partial void CannotLook(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4006, LogLevel.Error, "The comparison of index and queues failed and goes on")]
    public static partial void LoopFailed(ILogger logger, Exception exception);

    [LoggerMessage(4009, LogLevel.Warning, "{Count} steps are recorded as failed: their messages were dead-lettered without any worker having recorded it")]
    public static partial void Settled(ILogger logger, int count);

    [LoggerMessage(4008, LogLevel.Error, "The look through {Queue} failed; the other queues go on, and it is tried again")]
    public static partial void QueueFailed(ILogger logger, Exception exception, string queue);

    [LoggerMessage(4009, LogLevel.Warning, "The look through {Queue} took too long between two renewals of its lease; another process does it")]
    public static partial void LookLost(ILogger logger, string queue);

    [LoggerMessage(4007, LogLevel.Warning, "{Count} rows of the outbox are quarantined and indexed now")]
    public static partial void QuarantineFound(ILogger logger, int count);

    /// <summary>4009.</summary>
    [LoggerMessage(4009, LogLevel.Warning, "Queue {Queue} cannot be looked at and is left out ({Reason}); run `deploy` if its step is still in use")]
    public static partial void QueueMissing(ILogger logger, string queue, string reason);
}
