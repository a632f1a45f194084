namespace Orders.Dashboard;

/// <summary>Everything the dashboard itself logs, 5000–5099. Ids are stable. Keys, passwords and payloads are never logged.</summary>
internal static partial class DashboardLog
{
    [LoggerMessage(5000, LogLevel.Warning, "The database is not available for {Method} {Path}: {Fault}. Answered 503; see PostgreSQL's own log")]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string path, string fault);

    [LoggerMessage(5001, LogLevel.Error, "{Method} {Path} failed for a reason that is not the operator's; answered 500, trace {TraceId}")]
    public static partial void UnexpectedFault(ILogger logger, Exception exception, string method, string path, string traceId);

    [LoggerMessage(5002, LogLevel.Warning, "{Operator} ({Role}) was refused {Method} {Path}")]
    public static partial void Refused(ILogger logger, string @operator, string role, string method, string path);
}
