using Npgsql;

namespace QueueWorkers.GroupCommit;

/// <summary>What a failed statement means for those who wait for it.</summary>
public static class DatabaseFault
{
    /// <summary>True for faults of the data or of two transactions meeting (SQLSTATE classes 22, 23, 40): another unit or another partner may succeed.</summary>
    public static bool IsUnitFault(Exception exception) =>
        exception is PostgresException { SqlState: { Length: 5 } state } && state[..2] is "22" or "23" or "40";

    /// <summary>True when the database itself cannot be used now: no connection, going down, read-only, out of disk or of connections.</summary>
    public static bool IsUnavailable(Exception exception) => exception switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "53" or "57" or "58" || p.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction,
        // A step's own time-out is its own affair: taken for ours, its message would be deferred for ever and never dead-lettered.
        NpgsqlException or TimeoutException { Source: nameof(Npgsql) } => true,
        _ => exception.InnerException is { } inner && IsUnavailable(inner),
    };

    /// <summary>
    /// True when a later try may succeed: the database is away, or two transactions met (SQLSTATE classes 40 and 55). Whether a write was carried out is open then, because
    /// a connection can be lost after the commit; all other faults of PostgreSQL's (a value too long, a right that is missing) are ours, and no try fixes them.
    /// </summary>
    public static bool MayPass(Exception exception) => IsUnavailable(exception) || exception is PostgresException { SqlState: ['4', '0', ..] or ['5', '5', ..] };
}
