using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Controls;

/// <summary>Log events of the controls, 2110–2119.</summary>
internal static partial class ControlLog
{
    [LoggerMessage(2110, LogLevel.Warning, "The controls cannot be read ({Reason}); they stay as they are")]
    public static partial void PollFailed(ILogger logger, string reason);

    [LoggerMessage(2111, LogLevel.Warning, "The breaker of '{Dependency}' went from {Before} to {After}: {Reason}")]
    public static partial void BreakerChanged(ILogger logger, string dependency, BreakerState before, BreakerState after, string reason);

    [LoggerMessage(2112, LogLevel.Information, "'{Step}' runs {Limit} at a time here (was {Before})")]
    public static partial void LimitChanged(ILogger logger, string step, int limit, int before);

    [LoggerMessage(2113, LogLevel.Information, "'{Step}' takes nothing from its queue: {Reason}")]
    public static partial void Closed(ILogger logger, string step, string reason);

    [LoggerMessage(2114, LogLevel.Warning, "ALERT: too many database connections may be opened: {Excess}")]
    public static partial void OverBudget(ILogger logger, string excess);

    [LoggerMessage(2115, LogLevel.Information, "The database connections of all worker processes fit again: {Bounds} of {Limit}")]
    public static partial void WithinBudget(ILogger logger, int bounds, int limit);
}
