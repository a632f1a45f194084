using Microsoft.Extensions.Logging;

namespace QueueWorkers.Idempotency;

/// <summary>Log events of the evidence of duplicates, 4370–4379.</summary>
internal static partial class IdempotencyLog
{
    [LoggerMessage(
        4370,
        LogLevel.Warning,
        "Evidence of suppressed duplicates could not be written and is lost, the duplicates stay suppressed: {Count}. {Reason}"
    )]
    public static partial void EvidenceLost(ILogger logger, long count, string reason);
}
