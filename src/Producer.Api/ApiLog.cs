namespace Orders.Producer.Api;

/// <summary>
/// Log events of the API, 6001–6099. Ids are stable. Names, addresses, keys and bodies are never logged.
/// </summary>
internal static partial class ApiLog
{
    [LoggerMessage(
        6001,
        LogLevel.Warning,
        "Database was unavailable; answered 503: {Method}, {Count} since the last line. {Fault} See PostgreSQL's log"
    )]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string fault, int count);

    [LoggerMessage(6002, LogLevel.Error, "Request failed; answered 500: {Method}, trace {TraceId}")]
    public static partial void UnexpectedFault(ILogger logger, Exception exception, string method, string traceId);

    [LoggerMessage(
        6003,
        LogLevel.Warning,
        "Refreshing {What} failed; the last known state stays in use, next attempt every {Every}. {Fault}"
    )]
    public static partial void RefreshFailed(ILogger logger, string what, string fault, TimeSpan every);

    [LoggerMessage(6004, LogLevel.Information, "Refreshing succeeded again: {What}")]
    public static partial void RefreshRecovered(ILogger logger, string what);

    [LoggerMessage(
        6005,
        LogLevel.Warning,
        "Outbox reached its cap; orders are answered 503 until the relay has drained it: about {Rows} rows, cap {Cap}"
    )]
    public static partial void OutboxFull(ILogger logger, long rows, long cap);

    [LoggerMessage(
        6006,
        LogLevel.Information,
        "Outbox fell below its cap; orders are accepted again: {Rows} rows, cap {Cap}"
    )]
    public static partial void OutboxDrained(ILogger logger, long rows, long cap);
}
