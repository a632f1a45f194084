namespace Orders.Dashboard;

/// <summary>
/// Everything the dashboard itself logs, 5000–5099. Ids are stable. Keys, passwords and payloads are never logged.
/// </summary>
internal static partial class DashboardLog
{
    [LoggerMessage(
        5000,
        LogLevel.Warning,
        "Database was unavailable; answered 503: {Method} {Path}. {Fault} See PostgreSQL's log"
    )]
    public static partial void DatabaseUnavailable(ILogger logger, string method, string path, string fault);

    [LoggerMessage(5001, LogLevel.Error, "Request failed; answered 500: {Method} {Path}, trace {TraceId}")]
    public static partial void UnexpectedFault(
        ILogger logger,
        Exception exception,
        string method,
        string path,
        string traceId
    );

    [LoggerMessage(5002, LogLevel.Warning, "Operator was refused: {Operator} ({Role}), {Method} {Path}")]
    public static partial void Refused(ILogger logger, string @operator, string role, string method, string path);

    [LoggerMessage(5003, LogLevel.Information, "Login failed: wrong name or password, from {Address}")]
    public static partial void LoginFailed(ILogger logger, string address);

    [LoggerMessage(
        5004,
        LogLevel.Warning,
        "Address was locked out of the login: {Address}, {Tries} wrong passwords, for {LockOut}"
    )]
    public static partial void LockedOut(ILogger logger, string address, int tries, TimeSpan lockOut);

    [LoggerMessage(5005, LogLevel.Warning, "Login by the identity provider was refused: {Why}")]
    public static partial void ProviderLoginRefused(ILogger logger, string why);

    [LoggerMessage(5006, LogLevel.Error, "Login by the identity provider failed for an unexpected fault: {Stack}")]
    public static partial void ProviderLoginFailed(ILogger logger, string stack);

    [LoggerMessage(5010, LogLevel.Warning, "Reading a part of a page failed: {What}, trace {TraceId}")]
    public static partial void RegionNotRead(ILogger logger, string what, string traceId, Exception fault);

    [LoggerMessage(
        5011,
        LogLevel.Warning,
        "Reading live figures failed; the pages show the last ones, marked as old: {Source}. {Fault}"
    )]
    public static partial void NoFigures(ILogger logger, string source, string fault);

    [LoggerMessage(
        5012,
        LogLevel.Warning,
        "Writing the history of the steps failed; up to an hour is made up for when the database is back. {Fault}"
    )]
    public static partial void HistoryNotWritten(ILogger logger, string fault);

    [LoggerMessage(5013, LogLevel.Warning, "Alert evaluation failed; next attempt in a few seconds. {Fault}")]
    public static partial void AlertsNotKept(ILogger logger, string fault);

    [LoggerMessage(5014, LogLevel.Error, "ALERT {Rule} {Subject}: {Says} (alert {AlertId}, {State})")]
    public static partial void AlertSent(
        ILogger logger,
        string rule,
        string subject,
        string says,
        Guid alertId,
        string state
    );

    [LoggerMessage(
        5015,
        LogLevel.Warning,
        "Sending an alert failed; next attempt in a few seconds: alert {AlertId}, receiver {Receiver}. {Fault}"
    )]
    public static partial void AlertNotSent(ILogger logger, Guid alertId, string receiver, string fault);
}
