using System.Text;
using Npgsql;
using QueueWorkers.Tls;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// What a failed statement means for those who wait for it. The only place that reads SQLSTATEs to decide whether to
/// wait, to split a batch or to give up (ADR 89).
/// </summary>
public static class DatabaseFault
{
    /// <summary>Classifies a fault, or the fault that it wraps.</summary>
    public static DatabaseFaultKind KindOf(Exception exception) =>
        exception switch
        {
            PostgresException fault => KindOf(fault),
            // A value that cannot be encoded (half a surrogate pair) never reaches the server.
            EncoderFallbackException => DatabaseFaultKind.Data,
            NpgsqlException { InnerException: EncoderFallbackException } => DatabaseFaultKind.Data,
            // A step's own time-out is its own affair: taken for ours, its message would be deferred for ever and never
            // dead-lettered.
            NpgsqlException or TimeoutException { Source: nameof(Npgsql) } => DatabaseFaultKind.Unavailable,
            _ => exception.InnerException is { } inner ? KindOf(inner) : DatabaseFaultKind.None,
        };

    /// <summary>
    /// True when single units of a batch may be at fault, by their data or by a lock that another transaction holds:
    /// the others may succeed without them.
    /// </summary>
    public static bool IsUnitFault(Exception exception) =>
        KindOf(exception) is DatabaseFaultKind.Data or DatabaseFaultKind.Conflict;

    /// <summary>
    /// True when the database itself cannot be used now: no connection, no login, going down, read-only, out of disk or
    /// of connections.
    /// </summary>
    public static bool IsUnavailable(Exception exception) => KindOf(exception) is DatabaseFaultKind.Unavailable;

    /// <summary>
    /// True when a later try may succeed. Whether a write was carried out is open then, because a connection can be
    /// lost after the commit; all other faults of PostgreSQL's (a value too long, a statement that is wrong) are ours,
    /// and no try fixes them.
    /// </summary>
    public static bool MayPass(Exception exception) =>
        KindOf(exception) is DatabaseFaultKind.Unavailable or DatabaseFaultKind.Conflict or DatabaseFaultKind.Refused;

    /// <summary>True when a lock was held by another transaction for longer than this one may wait.</summary>
    public static bool IsLockTimeout(Exception exception) => StateOf(exception) == PostgresErrorCodes.LockNotAvailable;

    /// <summary>
    /// True when a prepared statement no longer fits its tables. The driver prepares it anew the next time, so the next
    /// try succeeds.
    /// </summary>
    public static bool IsStalePlan(Exception exception) =>
        Find(exception) is PostgresException fault && IsStalePlan(fault);

    /// <summary>A sentence for operators: what the database said, what that means and what to do.</summary>
    public static string Explain(Exception exception) =>
        DatabaseEncryption.Explain(exception) ?? ExplainAnswer(exception);

    private static string ExplainAnswer(Exception exception) =>
        Find(exception) switch
        {
            PostgresException { SqlState: ['2', '8', ..] } fault =>
                $"The database refuses the login of this process ({Said(fault)}); check the user in ConnectionStrings__Postgres and Database__Password.",
            PostgresException { SqlState: ['3', 'D', ..] } fault =>
                $"The database that ConnectionStrings__Postgres names does not exist ({Said(fault)}).",
            PostgresException { SqlState: PostgresErrorCodes.ObjectNotInPrerequisiteState } fault =>
                $"The database accepts no connections now ({Said(fault)}).",
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } fault =>
                $"The role of this process lacks a right ({Said(fault)}); run `Workers deploy`.",
            PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } fault =>
                $"The database has no connection left ({Said(fault)}).",
            PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } fault =>
                $"The database is read-only now ({Said(fault)}).",
            PostgresException fault when IsStalePlan(fault) =>
                $"A table was changed under a prepared statement ({Said(fault)}); the next try succeeds.",
            PostgresException fault when KindOf(fault) is DatabaseFaultKind.Refused =>
                $"The tables do not fit this version ({Said(fault)}); is a deployment under way? Otherwise run `Workers deploy`.",
            PostgresException fault => $"The database reports a fault ({Said(fault)}).",
            var other => $"The database cannot be reached ({other.InnerException?.Message ?? other.Message}).",
        };

    /// <summary>
    /// The SQLSTATE of a fault, or of the fault that it wraps; <c>none</c> when the server said nothing.
    /// </summary>
    public static string StateOf(Exception exception) =>
        Find(exception) is PostgresException fault ? fault.SqlState : "none";

    private static DatabaseFaultKind KindOf(PostgresException fault)
    {
        // The session ends, or never began: whatever the reason, it says nothing about the statement. Covers every
        // refused login.
        if (fault.InvariantSeverity is "FATAL" or "PANIC")
            return DatabaseFaultKind.Unavailable;
        if (fault.SqlState is not { Length: 5 } state)
            return DatabaseFaultKind.Statement;
        return state switch
        {
            // Read-only; the transaction was ended for being idle or for its length; the database takes no connections.
            "25006" or "25P03" or "25P04" or "55000" => DatabaseFaultKind.Unavailable,
            // A statement that was cancelled from outside, or by the server's time limit; a limit of the configuration;
            // a value of an enum type that is not committed yet.
            "57014" or "53400" or "55P04" => DatabaseFaultKind.Refused,
            // A right, table, column, type, function, unique index or schema that is missing; a column of another type.
            "42501" or "42P01" or "42703" or "42704" or "42883" or "42P10" or "42804" or "3F000" =>
                DatabaseFaultKind.Refused,
            // A prepared statement that the session does not have, or has twice: behind a pooler.
            "26000" or "42P05" => DatabaseFaultKind.Refused,
            "0A000" when IsStalePlan(fault) => DatabaseFaultKind.Refused,
            "55P02" => DatabaseFaultKind.Statement,
            _ => state[..2] switch
            {
                "08" or "28" or "3D" or "53" or "57" or "58" or "F0" => DatabaseFaultKind.Unavailable,
                "40" or "55" or "72" => DatabaseFaultKind.Conflict,
                // "54": a row too large for its index. "P0": what a trigger or a function raises.
                "21" or "22" or "23" or "27" or "44" or "54" or "P0" => DatabaseFaultKind.Data,
                // Internal errors: two deployments at one table ("tuple concurrently updated"), a damaged page.
                "XX" => DatabaseFaultKind.Refused,
                _ => DatabaseFaultKind.Statement,
            },
        };
    }

    // The text may be translated; the routine is not.
    private static bool IsStalePlan(PostgresException fault) =>
        fault.SqlState == PostgresErrorCodes.FeatureNotSupported
        && (
            fault.Routine == "RevalidateCachedQuery"
            || fault.MessageText.Contains("cached plan", StringComparison.Ordinal)
        );

    private static Exception Find(Exception exception)
    {
        var at = exception;
        while (at is not NpgsqlException && at.InnerException is { } inner)
            at = inner;
        return at is NpgsqlException ? at : exception;
    }

    private static string Said(PostgresException fault) => $"{fault.SqlState}: {fault.MessageText}";
}
