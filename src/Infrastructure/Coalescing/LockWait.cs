using Npgsql;

namespace Orders.Infrastructure.Coalescing;

/// <summary>How long a transaction waits for a lock that another one holds. Both statements hold for the present transaction only, also for the implicit one of a batch.</summary>
internal static class LockWait
{
    /// <summary>For a part of a batch that failed before: who holds the lock has held it for a while already, so the wait only has to tell the units apart.</summary>
    public static NpgsqlBatchCommand Briefly() => new("select set_config('lock_timeout', '50ms', true)");

    /// <summary>For a lock that is given up within milliseconds when its holder is well, and that many others would wait behind.</summary>
    public static NpgsqlBatchCommand Shortly() => new("select set_config('lock_timeout', '500ms', true)");

    /// <summary>As the session has it.</summary>
    public static NpgsqlBatchCommand AsUsual() => new("set local lock_timeout to default");
}
