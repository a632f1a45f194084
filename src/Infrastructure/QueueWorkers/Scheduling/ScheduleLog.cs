using Microsoft.Extensions.Logging;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Scheduling;

/// <summary>Log events of schedules, 4300–4319.</summary>
internal static partial class ScheduleLog
{
    /// <summary>Logs why a loop of the schedules could not do its work.</summary>
    public static void Fault(ILogger logger, Exception fault, TimeSpan delay)
    {
        if (DatabaseFault.MayPass(fault))
            DatabaseUnavailable(logger, fault.Message, delay);
        else
            LoopFailed(logger, delay, fault);
    }

    [LoggerMessage(4300, LogLevel.Information, "Schedule ran: {Schedule}, due {DueAt:O}, in {Duration}. {Result}")]
    public static partial void Done(
        ILogger logger,
        string schedule,
        DateTimeOffset dueAt,
        TimeSpan duration,
        string result
    );

    [LoggerMessage(
        4301,
        LogLevel.Error,
        "Schedule failed and is not repeated before it is due again: {Schedule}, due {DueAt:O}, attempt {Attempt}"
    )]
    public static partial void Failed(
        ILogger logger,
        string schedule,
        DateTimeOffset dueAt,
        int attempt,
        Exception fault
    );

    [LoggerMessage(
        4302,
        LogLevel.Warning,
        "Schedule missed firings, its policy '{Misfire}' skips them: {Schedule}, {Count} firings"
    )]
    public static partial void LeftOut(ILogger logger, string schedule, int count, Misfire misfire);

    [LoggerMessage(
        4303,
        LogLevel.Error,
        "Schedule was given up because its process crashed {Attempts} times: {Schedule}, due {DueAt:O}"
    )]
    public static partial void GivenUp(ILogger logger, string schedule, DateTimeOffset dueAt, int attempts);

    [LoggerMessage(
        4304,
        LogLevel.Warning,
        "Schedule was taken over by another process because this one had not renewed its lease, the job was stopped here: {Schedule}, due {DueAt:O}"
    )]
    public static partial void LostLease(ILogger logger, string schedule, DateTimeOffset dueAt);

    [LoggerMessage(
        4305,
        LogLevel.Error,
        "Schedule could not be fired by this process and is left to others: {Schedule}. {Reason}"
    )]
    public static partial void Unusable(ILogger logger, string schedule, string reason);

    [LoggerMessage(
        4306,
        LogLevel.Warning,
        "Reading or writing the schedules failed; next attempt in {Delay}. {Reason}"
    )]
    private static partial void DatabaseUnavailable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4307, LogLevel.Error, "Schedule loop failed; it goes on in {Delay}")]
    private static partial void LoopFailed(ILogger logger, TimeSpan delay, Exception fault);

    [LoggerMessage(
        4309,
        LogLevel.Warning,
        "Schedule was due later than its cron text says, a clock was ahead; it was moved back: {Schedule}, from {From:O} to {To:O}"
    )]
    public static partial void MovedBack(ILogger logger, string schedule, DateTimeOffset? from, DateTimeOffset to);

    [LoggerMessage(
        4308,
        LogLevel.Information,
        "Schedule was given back because this process stops: {Schedule}, due {DueAt:O}"
    )]
    public static partial void GivenBack(ILogger logger, string schedule, DateTimeOffset dueAt);
}
