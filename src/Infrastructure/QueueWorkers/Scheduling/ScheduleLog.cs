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

    [LoggerMessage(4300, LogLevel.Information, "Schedule {Schedule}, due {DueAt:O}, is done in {Duration}: {Result}")]
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
        "Schedule {Schedule}, due {DueAt:O}, failed (attempt {Attempt}); it is not repeated before it is due again"
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
        "Schedule {Schedule} missed {Count} firings while nobody was there; by its policy '{Misfire}' they are left out"
    )]
    public static partial void LeftOut(ILogger logger, string schedule, int count, Misfire misfire);

    [LoggerMessage(
        4303,
        LogLevel.Error,
        "Schedule {Schedule}, due {DueAt:O}, is given up: its process died {Attempts} times at it"
    )]
    public static partial void GivenUp(ILogger logger, string schedule, DateTimeOffset dueAt, int attempts);

    [LoggerMessage(
        4304,
        LogLevel.Warning,
        "Schedule {Schedule}, due {DueAt:O}, was taken over by another process, because this one had not renewed its lease in time; the job is stopped here"
    )]
    public static partial void LostLease(ILogger logger, string schedule, DateTimeOffset dueAt);

    [LoggerMessage(4305, LogLevel.Error, "Schedule {Schedule} cannot fire: {Reason}")]
    public static partial void Unusable(ILogger logger, string schedule, string reason);

    [LoggerMessage(4306, LogLevel.Warning, "The schedules cannot be read or written ({Reason}); next try in {Delay}")]
    private static partial void DatabaseUnavailable(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(4307, LogLevel.Error, "The loop of the schedules failed and goes on in {Delay}")]
    private static partial void LoopFailed(ILogger logger, TimeSpan delay, Exception fault);

    [LoggerMessage(4308, LogLevel.Information, "Schedule {Schedule}, due {DueAt:O}, is given back: this process stops")]
    public static partial void GivenBack(ILogger logger, string schedule, DateTimeOffset dueAt);
}
