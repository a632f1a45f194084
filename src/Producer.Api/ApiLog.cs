namespace Orders.Producer.Api;

/// <summary>Everything the API logs, side by side. Ids are stable. Names, addresses, keys and bodies are never logged.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(1001, LogLevel.Warning, "The database is not available for {Method}. {Fault} Answered 503 ({Count} since the last line); see PostgreSQL's own log")]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string fault, int count);

    [LoggerMessage(1002, LogLevel.Error, "A {Method} request failed for a reason that is not the client's; answered 500, trace {TraceId}")]
    public static partial void UnexpectedFault(ILogger logger, Exception exception, string method, string traceId);

    [LoggerMessage(1003, LogLevel.Warning, "Could not refresh {What}: {Fault}. The last known state stays in use; tried again every {Every}")]
    public static partial void RefreshFailed(ILogger logger, string what, string fault, TimeSpan every);

    [LoggerMessage(1004, LogLevel.Information, "{What} is refreshed again")]
    public static partial void RefreshRecovered(ILogger logger, string what);

    [LoggerMessage(1005, LogLevel.Warning, "The outbox holds about {Rows} messages, cap {Cap}: orders are refused with 503 until the relay has drained it")]
    public static partial void OutboxFull(ILogger logger, long rows, long cap);

    [LoggerMessage(1006, LogLevel.Information, "The outbox is below its cap again ({Rows} of {Cap}): orders are accepted")]
    public static partial void OutboxDrained(ILogger logger, long rows, long cap);
}
