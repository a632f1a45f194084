using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.Operators;

namespace QueueWorkers.Replays;

/// <summary>
/// What an operator does with replays. A replay is a row: it survives every restart, and any process may go on with it.
/// What is done is written to the audit record in the same transaction.
/// </summary>
public sealed class ReplayService(NpgsqlDataSource database, IReplaySource source)
{
    private const string Columns =
        "id, step, filter::text as filter, per_second, state, cursor, seen, fed, already_done, created_by, created_at, updated_at, last_error";

    /// <summary>Begins a replay.</summary>
    /// <param name="step">The step to feed.</param>
    /// <param name="filter">Which subjects (JSON).</param>
    /// <param name="perSecond">At most so many a second, 1–5000.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="audit">Who did it.</param>
    /// <exception cref="ReplayRefusedException">With what is wrong.</exception>
    public async Task<Replay> BeginAsync(
        string step,
        string filter,
        int perSecond,
        string by,
        CancellationToken cancellationToken,
        AuditEntry? audit = null
    )
    {
        if (perSecond is < 1 or > 5000)
            throw new ReplayRefusedException($"A replay's rate must be 1–5000 a second, got {perSecond}.");
        await source.CheckAsync(step, filter, cancellationToken);
        var id = DatabaseClock.NewId();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"insert into replays (id, step, filter, per_second, state, seen, fed, already_done, created_by) values ($1, $2, $3, $4, 0, 0, 0, 0, $5) returning {Columns}",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = step });
        command.Parameters.Add(new NpgsqlParameter { Value = filter, NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = perSecond });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = by });
        var replay = (await ReadAsync(command, cancellationToken))[0];
        if (audit is not null)
            await AuditLog.WriteAsync(connection, audit, CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        return replay;
    }

    /// <summary>Holds a running replay. What it has written stays written.</summary>
    /// <returns>Whether there was one to hold.</returns>
    public Task<bool> StopAsync(Guid id, CancellationToken cancellationToken, AuditEntry? audit = null) =>
        MoveAsync(
            id,
            $"update replays set state = {ReplayState.Stopped:D}, updated_at = now() where id = $1 and state = {ReplayState.Running:D}",
            audit,
            cancellationToken
        );

    /// <summary>Lets a stopped or failed replay go on from where it stands.</summary>
    /// <returns>Whether there was one.</returns>
    public Task<bool> ResumeAsync(Guid id, CancellationToken cancellationToken, AuditEntry? audit = null) =>
        MoveAsync(
            id,
            $"update replays set state = {ReplayState.Running:D}, last_error = null, updated_at = now() where id = $1 and state in ({ReplayState.Stopped:D}, {ReplayState.Failed:D})",
            audit,
            cancellationToken
        );

    /// <summary>The newest replays with their progress.</summary>
    public async Task<IReadOnlyList<Replay>> ListAsync(int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from replays order by id desc limit $1");
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>One replay; null when there is none.</summary>
    public async Task<Replay?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from replays where id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    // Running replays in the order of their age, each locked: a replay that another process works on is skipped.
    internal static async Task<Replay?> LockNextAsync(
        NpgsqlConnection connection,
        Guid after,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"select {Columns} from replays where state = {ReplayState.Running:D} and id > $1 order by id limit 1 for update skip locked",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = after });
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    private async Task<bool> MoveAsync(Guid id, string sql, AuditEntry? audit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } },
        };
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            return false;
        if (audit is not null)
            await AuditLog.WriteAsync(connection, audit, CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }

    private static async Task<List<Replay>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var replays = new List<Replay>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            replays.Add(
                new Replay
                {
                    Id = reader.GetGuid("id"),
                    Step = reader.GetString("step"),
                    Filter = reader.GetString("filter"),
                    PerSecond = reader.GetInt32("per_second"),
                    State = (ReplayState)reader.GetInt16("state"),
                    Cursor = reader.Optional<Guid>("cursor"),
                    Seen = reader.GetInt64("seen"),
                    Fed = reader.GetInt64("fed"),
                    AlreadyDone = reader.GetInt64("already_done"),
                    CreatedBy = reader.GetString("created_by"),
                    CreatedAt = reader.GetFieldValue<DateTimeOffset>("created_at"),
                    UpdatedAt = reader.GetFieldValue<DateTimeOffset>("updated_at"),
                    LastError = reader.OptionalText("last_error"),
                }
            );
        }

        return replays;
    }
}
