using Npgsql;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// Advisory locks that belong to a session: they end with the process, whatever happens to it. A pooled connection outlives its user and is not reset when it is given back, so whoever
/// locks has to unlock; a lock that stayed would belong to the next user of that connection, who knows nothing of it.
/// </summary>
internal static class SessionLocks
{
    /// <summary>Gives up what a connection's session holds. When that fails the session itself is ended as soon as the connection is given back.</summary>
    /// <param name="pool">Where the connection comes from.</param>
    /// <param name="connection">The connection; nothing is done when it has broken, for then its session has ended too.</param>
    /// <param name="unlock">Unlocks.</param>
    public static async Task GiveUpAsync(NpgsqlDataSource pool, NpgsqlConnection connection, Func<Task> unlock)
    {
        if (connection.State != System.Data.ConnectionState.Open)
            return;
        try
        {
            await unlock();
        }
        catch
        {
            // Every connection of the pool is closed when it is given back, the idle ones at once: dear, and as rare as an unlock that fails.
            pool.Clear();
            throw;
        }
    }
}
