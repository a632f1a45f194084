using Npgsql;

namespace Orders.Infrastructure.Coalescing;

/// <summary>What a failed statement means for those who wait for it.</summary>
public static class DatabaseFault
{
    /// <summary>True for faults of the data or of two transactions meeting (SQLSTATE classes 22, 23, 40): another order or another partner may succeed.</summary>
    public static bool IsUnitFault(Exception exception) =>
        exception is PostgresException { SqlState: { Length: 5 } state } && state[..2] is "22" or "23" or "40";

    /// <summary>True when the database itself cannot be used now: no connection, going down, read-only, out of disk or of connections.</summary>
    public static bool IsUnavailable(Exception exception) => exception switch
    {
        PostgresException p => p.SqlState[..2] is "08" or "53" or "57" or "58" || p.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction,
        // A step's own time-out is its own affair: taken for ours, its message would be postponed for ever and never parked.
        NpgsqlException or TimeoutException { Source: nameof(Npgsql) } => true,
        _ => exception.InnerException is { } inner && IsUnavailable(inner),
    };
}
