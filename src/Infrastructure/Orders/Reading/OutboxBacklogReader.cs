using Npgsql;

namespace Orders.Infrastructure.Reading;

/// <summary>How many messages are waiting in the outbox, roughly and cheaply: from the server's statistics, not by counting.</summary>
public sealed class OutboxBacklogReader(NpgsqlDataSource database)
{
    private const string Estimate = "select coalesce((select n_live_tup from pg_stat_user_tables where relid = 'outbox'::regclass), 0)";

    /// <summary>
    /// Reads the estimate. It lags by some seconds, and a crash of the server sets it back to zero until rows are written or vacuumed:
    /// good enough for a cap that guards the disk.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<long> EstimateAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Estimate);
        Failpoint.Hit("api.before_read_backlog", Outside.Database);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
