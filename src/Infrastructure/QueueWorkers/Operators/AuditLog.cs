using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Operators;

/// <summary>Writes and reads the record of what operators did. Insert-only: see <see cref="AuditTable"/>.</summary>
public sealed class AuditLog(NpgsqlDataSource database)
{
    private const string Insert =
        "insert into audit (who, role, action, target, filter, count, reason, result) values ($1, $2, $3, $4, $5, $6, $7, $8)";

    private const string Columns =
        "id, at, who, role, action, target, filter, count, reason, result, previous_hash, hash";

    private const string Read =
        $"select {Columns} from audit where $1::bigint is null or id < $1 order by id desc limit $2";

    private const string ReadForward = $"select {Columns} from audit where id > $1 and id <= $2 order by id limit $3";

    // The same function the trigger uses; a row is broken when its own hash is wrong or does not follow from the row
    // before.
    internal const string Broken = """
        select min(id) from (
            select a.*, lag(hash, 1, ''::bytea) over w as before, lag(id, 1, 0::bigint) over w as id_before
                from audit a window w as (order by id)) chained
        where previous_hash <> before or id <> id_before + 1
            or hash <> audit_hash(id, at, who, role, action, target, filter, count, reason, result, previous_hash)
        """;

    /// <summary>
    /// Writes a record in the caller's transaction, so that an action and its record exist together or not at all. Make
    /// it the transaction's last statement: writers of records wait for one another.
    /// </summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        AuditEntry entry,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Insert, connection);
        AddTo(command.Parameters, entry);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes a record by itself.</summary>
    public async Task WriteAsync(AuditEntry entry, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await WriteAsync(connection, entry, cancellationToken);
    }

    /// <summary>Reads records, the newest first.</summary>
    /// <param name="before">The smallest id of the page before; null for the first page.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<AuditEntry>> ReadAsync(long? before, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = limit });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Reads records, the oldest first.</summary>
    /// <param name="after">The largest id of the page before; 0 for the first page.</param>
    /// <param name="to">The last id to read.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<AuditEntry>> ReadForwardAsync(
        long after,
        long to,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(ReadForward);
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = to });
        command.Parameters.Add(new() { Value = limit });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>
    /// The first record that was changed, or whose predecessor is missing; null when the record is intact.
    /// </summary>
    public async Task<long?> FirstBrokenAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Broken);
        return await command.ExecuteScalarAsync(cancellationToken) as long?;
    }

    private static async Task<IReadOnlyList<AuditEntry>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        var entries = new List<AuditEntry>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(
                new AuditEntry
                {
                    Id = reader.GetInt64("id"),
                    At = reader.GetFieldValue<DateTimeOffset>("at"),
                    Who = reader.GetString("who"),
                    Role = reader.GetString("role"),
                    Action = reader.GetString("action"),
                    Target = reader.OptionalText("target"),
                    Filter = reader.OptionalText("filter"),
                    Count = reader.Optional<long>("count"),
                    Reason = reader.OptionalText("reason"),
                    Result = reader.GetString("result"),
                    PreviousHash = reader.GetFieldValue<byte[]>("previous_hash"),
                    Hash = reader.GetFieldValue<byte[]>("hash"),
                }
            );
        }

        return entries;
    }

    private static void AddTo(NpgsqlParameterCollection parameters, AuditEntry entry)
    {
        parameters.Add(new() { Value = entry.Who });
        parameters.Add(new() { Value = entry.Role });
        parameters.Add(new() { Value = entry.Action });
        parameters.Add(
            new()
            {
                Value = (object?)StorableText.OfNullable(PersonalText.OfNullable(entry.Target)) ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Text,
            }
        );
        parameters.Add(
            new()
            {
                Value = entry.Filter is { } filter ? PersonalText.OfJson(filter) : DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Jsonb,
            }
        );
        parameters.Add(new() { Value = (object?)entry.Count ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        parameters.Add(
            new()
            {
                Value = (object?)StorableText.OfNullable(PersonalText.OfNullable(entry.Reason)) ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Text,
            }
        );
        parameters.Add(new() { Value = StorableText.Of(PersonalText.Of(entry.Result)) });
    }
}
