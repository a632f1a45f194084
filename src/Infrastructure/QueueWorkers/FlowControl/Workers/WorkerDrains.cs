using Npgsql;
using QueueWorkers.Operators;

namespace QueueWorkers.FlowControl.Workers;

/// <summary>
/// Lets one worker process run dry, and gives it back. A drained process takes nothing from the queues of any of its
/// steps; what it runs ends, and the other replicas get the rest.
/// It belongs to the process: one that starts in its place is another one, and takes messages. Each change is committed
/// together with its audit record, or not at all.
/// Dying at any line here changes nothing, or all: the process reads its row with every poll.
/// </summary>
public sealed class WorkerDrains(NpgsqlDataSource database)
{
    // Asked twice it stays the first moment: what has ended since then has ended.
    private const string Ask =
        "update workers set drain_asked_at = coalesce(drain_asked_at, now()), drain_by = $2, drain_reason = $3 where id = $1 and stopped_at is null";

    private const string TakeBack =
        "update workers set drain_asked_at = null, drain_by = $2, drain_reason = $3 where id = $1 and stopped_at is null";

    /// <summary>
    /// The process takes nothing more, within two seconds. One that is silent does so when it comes back.
    /// </summary>
    /// <exception cref="UnknownWorkerException">There is no such process.</exception>
    /// <exception cref="WorkerStoppedException">It has stopped.</exception>
    public Task DrainAsync(Guid worker, AuditEntry audit, CancellationToken cancellationToken = default) =>
        ChangeAsync(Ask, worker, audit, cancellationToken);

    /// <summary>The process takes messages again.</summary>
    /// <exception cref="UnknownWorkerException">There is no such process.</exception>
    /// <exception cref="WorkerStoppedException">It has stopped.</exception>
    public Task UndrainAsync(Guid worker, AuditEntry audit, CancellationToken cancellationToken = default) =>
        ChangeAsync(TakeBack, worker, audit, cancellationToken);

    private async Task ChangeAsync(string sql, Guid worker, AuditEntry audit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = worker },
                new() { Value = audit.Who },
                new() { Value = audit.Reason ?? "" },
            },
        };
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw await ExistsAsync(connection, worker, cancellationToken)
                ? new WorkerStoppedException(worker)
                : new UnknownWorkerException(worker);
        await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<bool> ExistsAsync(
        NpgsqlConnection connection,
        Guid worker,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand("select exists (select from workers where id = $1)", connection)
        {
            Parameters = { new() { Value = worker } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}

/// <summary>There is no worker process of that id.</summary>
public sealed class UnknownWorkerException(Guid worker)
    : Exception($"There is no worker {worker}; those of the last day are on the page Workers and in GET /api/workers.");

/// <summary>The worker process has stopped: it takes nothing anyway.</summary>
public sealed class WorkerStoppedException(Guid worker)
    : Exception(
        $"Worker {worker} has stopped: it takes nothing any more. A process that starts in its place is another worker."
    );
