namespace Orders.OutsideWorld;

/// <summary>Every log event of the outside world.</summary>
internal static partial class WorldLog
{
    [LoggerMessage(1, LogLevel.Information, "SMTP listens on {Host}:{Port}")]
    public static partial void SmtpListens(this ILogger logger, string host, int port);

    [LoggerMessage(
        2,
        LogLevel.Information,
        "SMTP plays down: port {Port} refuses connections and open sessions are cut"
    )]
    public static partial void SmtpDown(this ILogger logger, int port);

    [LoggerMessage(3, LogLevel.Warning, "SMTP could not accept a connection; trying again")]
    public static partial void SmtpAcceptFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Debug, "SMTP client left: {Reason}")]
    public static partial void SmtpClientLeft(this ILogger logger, string reason);

    [LoggerMessage(5, LogLevel.Error, "SMTP session failed; its connection is closed")]
    public static partial void SmtpSessionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(
        6,
        LogLevel.Error,
        "A mail could not be written to the ledger; it was answered with 452 and is not counted"
    )]
    public static partial void MailNotWritten(this ILogger logger, Exception exception);

    [LoggerMessage(
        7,
        LogLevel.Warning,
        "{Path}: dropped {Bytes} bytes of an unfinished last line, left by a process that was killed while writing"
    )]
    public static partial void UnfinishedLineDropped(this ILogger logger, string path, long bytes);

    [LoggerMessage(8, LogLevel.Information, "{Path}: {Count} entries read back")]
    public static partial void LedgerReadBack(this ILogger logger, string path, int count);

    [LoggerMessage(9, LogLevel.Information, "Warehouse signatures are {Verified}")]
    public static partial void WarehouseSignatures(this ILogger logger, string verified);
}
