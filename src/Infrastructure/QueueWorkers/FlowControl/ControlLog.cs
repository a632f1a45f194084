using Microsoft.Extensions.Logging;
using QueueWorkers.FlowControl.CircuitBreakers;

namespace QueueWorkers.FlowControl;

/// <summary>Log events of the controls, 2110–2119.</summary>
internal static partial class ControlLog
{
    [LoggerMessage(2110, LogLevel.Warning, "Reading the controls failed; they stay as they are. {Reason}")]
    public static partial void PollFailed(ILogger logger, string reason);

    [LoggerMessage(2111, LogLevel.Warning, "Breaker changed: {Dependency} from {Before} to {After}. {Reason}")]
    public static partial void BreakerChanged(
        ILogger logger,
        string dependency,
        BreakerState before,
        BreakerState after,
        string reason
    );

    [LoggerMessage(
        2112,
        LogLevel.Information,
        "Step limit changed: {Step} runs {Limit} at a time in this process (was {Before})"
    )]
    public static partial void LimitChanged(ILogger logger, string step, int limit, int before);

    [LoggerMessage(2113, LogLevel.Information, "Step stopped taking messages: {Step}. {Reason}")]
    public static partial void Closed(ILogger logger, string step, string reason);

    [LoggerMessage(2114, LogLevel.Warning, "ALERT: database connections exceeded their budget. {Excess}")]
    public static partial void OverBudget(ILogger logger, string excess);

    [LoggerMessage(2115, LogLevel.Information, "Database connections fit their budget again: {Bounds} of {Limit}")]
    public static partial void WithinBudget(ILogger logger, int bounds, int limit);
}
