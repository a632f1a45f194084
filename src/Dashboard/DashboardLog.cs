namespace Orders.Dashboard;

/// <summary>Everything the dashboard itself logs, 5000–5099. Ids are stable. Keys, passwords and payloads are never logged.</summary>
internal static partial class DashboardLog
{
    [LoggerMessage(5000, LogLevel.Warning, "The database is not available for {Method} {Path}. {Fault} Answered 503; see PostgreSQL's own log")]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string path, string fault);

    [LoggerMessage(5001, LogLevel.Error, "{Method} {Path} failed for a reason that is not the operator's; answered 500, trace {TraceId}")]
    public static partial void UnexpectedFault(ILogger logger, Exception exception, string method, string path, string traceId);

    [LoggerMessage(5002, LogLevel.Warning, "{Operator} ({Role}) was refused {Method} {Path}")]
    public static partial void Refused(ILogger logger, string @operator, string role, string method, string path);

    [LoggerMessage(5010, LogLevel.Warning, "A region of a page could not be read: {What}, trace {TraceId}")]
    public static partial void RegionNotRead(ILogger logger, string what, string traceId, Exception fault);

    [LoggerMessage(5011, LogLevel.Warning, "{Source} gives no live figures: {Fault}. The pages show the last ones, marked as old")]
    public static partial void NoFigures(ILogger logger, string source, string fault);

    [LoggerMessage(5012, LogLevel.Warning, "The history of the steps was not written: {Fault}. It is made up for when the database is back, up to an hour")]
    public static partial void HistoryNotWritten(ILogger logger, string fault);

    [LoggerMessage(5013, LogLevel.Warning, "Alerts were not looked after: {Fault}. Tried again in some seconds")]
    public static partial void AlertsNotKept(ILogger logger, string fault);

    [LoggerMessage(5014, LogLevel.Error, "ALERT {Rule} {Subject}: {Says} (alert {AlertId}, {State})")]
    public static partial void AlertSent(ILogger logger, string rule, string subject, string says, Guid alertId, string state);

    [LoggerMessage(5015, LogLevel.Warning, "Alert {AlertId} could not be sent to {Receiver}: {Fault}. Tried again in some seconds")]
    public static partial void AlertNotSent(ILogger logger, Guid alertId, string receiver, string fault);
}
