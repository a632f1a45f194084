using Npgsql;
using Orders.Infrastructure.Controls;

namespace Orders.Infrastructure.Observing;

/// <summary>Reads which worker processes there are, and were in the last day.</summary>
public sealed class WorkerReader(NpgsqlDataSource database)
{
    /// <summary>The processes, the living ones first.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<Worker>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            select id, host, process_id, version, steps, running, started_at, last_seen_at, stopped_at from workers
            order by (stopped_at is null and last_seen_at > now() - $1) desc, last_seen_at desc limit 500
            """);
        command.Parameters.Add(new() { Value = Worker.LifeSign });
        var workers = new List<Worker>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            workers.Add(new Worker
            {
                Id = reader.GetGuid(0),
                Host = reader.GetString(1),
                ProcessId = reader.GetInt32(2),
                Version = reader.GetString(3),
                Steps = reader.GetFieldValue<string[]>(4),
                Running = reader.GetInt32(5),
                StartedAt = reader.GetFieldValue<DateTimeOffset>(6),
                LastSeenAt = reader.GetFieldValue<DateTimeOffset>(7),
                StoppedAt = reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8),
            });
        }

        return workers;
    }
}
