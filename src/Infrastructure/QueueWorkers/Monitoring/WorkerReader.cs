using System.Data;
using System.Text.Json;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.FlowControl.Workers;

namespace QueueWorkers.Monitoring;

/// <summary>Reads which worker processes there are, and were in the last day, and what each is running.</summary>
public sealed class WorkerReader(NpgsqlDataSource database)
{
    /// <summary>How many processes are read at most: the living ones, and of the others the newest.</summary>
    public const int Most = 500;

    private const string Columns =
        "id, host, process_id, version, steps, running, started_at, last_seen_at, stopped_at, runs::text as runs, drain_asked_at, drained_at, drain_by, drain_reason";

    /// <summary>The processes, the living ones first.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<Worker>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"select {Columns} from workers order by (stopped_at is null and last_seen_at > now() - $1) desc, last_seen_at desc limit $2"
        );
        command.Parameters.Add(new() { Value = Worker.LifeSign });
        command.Parameters.Add(new() { Value = Most });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>One of them; null when there is none of that id.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<Worker?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from workers where id = $1");
        command.Parameters.Add(new() { Value = id });
        return (await ReadAsync(command, cancellationToken)) is [var worker] ? worker : null;
    }

    private static async Task<IReadOnlyList<Worker>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        var workers = new List<Worker>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            workers.Add(
                new Worker
                {
                    Id = reader.GetGuid("id"),
                    Host = reader.GetString("host"),
                    ProcessId = reader.GetInt32("process_id"),
                    Version = reader.GetString("version"),
                    Steps = reader.GetFieldValue<string[]>("steps"),
                    Running = reader.GetInt32("running"),
                    StartedAt = reader.GetFieldValue<DateTimeOffset>("started_at"),
                    LastSeenAt = reader.GetFieldValue<DateTimeOffset>("last_seen_at"),
                    StoppedAt = reader.Optional<DateTimeOffset>("stopped_at"),
                    Runs =
                        JsonSerializer.Deserialize<RunningAttempt[]>(
                            reader.GetString("runs"),
                            JsonSerializerOptions.Web
                        ) ?? [],
                    DrainAskedAt = reader.Optional<DateTimeOffset>("drain_asked_at"),
                    DrainedAt = reader.Optional<DateTimeOffset>("drained_at"),
                    DrainBy = reader.GetString("drain_by"),
                    DrainReason = reader.GetString("drain_reason"),
                }
            );
        }

        return workers;
    }
}
