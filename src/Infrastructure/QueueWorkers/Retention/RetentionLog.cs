using Microsoft.Extensions.Logging;

namespace QueueWorkers.Retention;

/// <summary>Log events of the purge, 4320–4329.</summary>
internal static partial class RetentionLog
{
    [LoggerMessage(
        4320,
        LogLevel.Warning,
        "The purge did not get through in {TimeLimit} (Retention__TimeLimit): {Tables} still hold rows that are older than they are kept"
    )]
    public static partial void Behind(ILogger logger, TimeSpan timeLimit, string tables);
}
