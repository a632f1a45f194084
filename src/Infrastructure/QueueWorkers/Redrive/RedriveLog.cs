using Microsoft.Extensions.Logging;

namespace QueueWorkers.Redrive;

/// <summary>Log events of redrives, 4050–4099.</summary>
internal static partial class RedriveLog
{
    [LoggerMessage(
        4050,
        LogLevel.Information,
        "Redrive {RedriveId} is done: {Done} done, {FailedAgain} failed again, {Skipped} skipped"
    )]
    public static partial void Done(ILogger logger, Guid redriveId, int done, int failedAgain, int skipped);

    [LoggerMessage(4051, LogLevel.Warning, "Redrive {RedriveId} stopped by itself: {Reason}")]
    public static partial void Stopped(ILogger logger, Guid redriveId, string reason);

    [LoggerMessage(4052, LogLevel.Warning, "Redrives cannot go on now ({Reason}); next try in {Delay}")]
    public static partial void CannotGoOn(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(
        4053,
        LogLevel.Error,
        "A redrive failed for a reason that is not its messages'; nothing of the step was committed"
    )]
    public static partial void Failed(ILogger logger, Exception exception);
}
