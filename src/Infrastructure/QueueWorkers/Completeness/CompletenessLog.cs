using Microsoft.Extensions.Logging;

namespace QueueWorkers.Completeness;

/// <summary>Log events of the completeness check, 4330–4349.</summary>
internal static partial class CompletenessLog
{
    [LoggerMessage(
        4330,
        LogLevel.Error,
        "Completeness gap was found: {Kind} effect '{Effect}' of {SubjectId}. {Detail}"
    )]
    public static partial void Found(ILogger logger, GapKind kind, string effect, Guid subjectId, string detail);

    [LoggerMessage(4331, LogLevel.Error, "More completeness gaps were found, see table completeness_gaps: {Count}")]
    public static partial void MoreFound(ILogger logger, int count);
}
