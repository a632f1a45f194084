using Npgsql;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Orders.Reading;

/// <summary>How many messages are waiting in the outbox to leave: cheaply, from the server's statistics, while the table is small; counted only when it is large.</summary>
public sealed class OutboxBacklogReader(NpgsqlDataSource database)
{
    private const string Estimate = "select coalesce((select n_live_tup from pg_stat_user_tables where relid = 'outbox'::regclass), 0)";

    // What is due, or in the lease of the process that wrote it. Delayed rows (retries, schedules) and quarantined ones are not what a broker that is away leaves behind.
    private static readonly string Count = $"""
        select count(*) from (select from outbox where dead_at is null and due_at <= now() + interval '{OutboxTable.Lease.TotalSeconds:0} seconds' limit $1) as waiting
        """;

    /// <summary>
    /// Reads how many wait. The estimate lags by some seconds, and a crash of the server sets it back to zero until rows are written or vacuumed:
    /// good enough for a cap that guards the disk. It is of all rows; when it reaches the cap, those that wait are counted.
    /// </summary>
    /// <param name="enough">No more are counted.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<long> WaitingAsync(long enough, CancellationToken cancellationToken)
    {
        await using var estimate = database.CreateCommand(Estimate);
        Failpoint.Hit("api.before_read_backlog", Outside.Database);
        var all = (long)(await estimate.ExecuteScalarAsync(cancellationToken))!;
        if (all < enough)
            return all;
        await using var count = database.CreateCommand(Count);
        count.Parameters.Add(new NpgsqlParameter<long> { TypedValue = enough });
        return (long)(await count.ExecuteScalarAsync(cancellationToken))!;
    }
}
