using Microsoft.Extensions.Logging;

namespace QueueWorkers.Redrive;

/// <summary>Log events of redrives, 4050–4099.</summary>
internal static partial class RedriveLog
{
    [LoggerMessage(
        4050,
        LogLevel.Information,
        "Redrive ended: {RedriveId}, {Done} done, {FailedAgain} failed again, {Skipped} skipped"
    )]
    public static partial void Done(ILogger logger, Guid redriveId, int done, int failedAgain, int skipped);

    [LoggerMessage(4051, LogLevel.Warning, "Redrive stopped by itself: {RedriveId}. {Reason}")]
    public static partial void Stopped(ILogger logger, Guid redriveId, string reason);

    [LoggerMessage(4052, LogLevel.Warning, "Redrives could not go on; next attempt in {Delay}. {Reason}")]
    public static partial void CannotGoOn(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(
        4053,
        LogLevel.Error,
        "Redrive failed for a reason that is not its messages'; nothing of this turn was committed"
    )]
    public static partial void Failed(ILogger logger, Exception exception);
}
