using Microsoft.Extensions.Logging;

namespace QueueWorkers.Retention;

/// <summary>Log events of the purge, 4320–4329.</summary>
internal static partial class RetentionLog
{
    [LoggerMessage(
        4320,
        LogLevel.Warning,
        "Purge exceeded its time limit {TimeLimit} (Retention__TimeLimit); rows older than they are kept remain in {Tables}"
    )]
    public static partial void Behind(ILogger logger, TimeSpan timeLimit, string tables);
}
