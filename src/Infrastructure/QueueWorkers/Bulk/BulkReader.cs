using System.Data;
using Npgsql;
using QueueWorkers.Data;

namespace QueueWorkers.Bulk;

/// <summary>Reads bulk actions and their targets.</summary>
public sealed class BulkReader(NpgsqlDataSource database)
{
    internal const string Columns = """
        id, kind, step, filter::text as filter, per_second, state, total, done, skipped, refused,
        rehearsal::text as rehearsal, created_by, created_at, confirmed_by, confirmed_at, reason, note, moved_at,
        finished_at, idempotency_key, request_hash
        """;

    // A page of them must not become as large as a hundred lists of ids.
    private const string ShortFilter =
        "case when octet_length(filter::text) <= 10000 then filter::text else 'null' end as filter";

    /// <summary>One bulk action; null when there is none.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<BulkAction?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from bulk_actions where id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    /// <summary>Bulk actions, the newest first. A filter of more than 10,000 bytes is left out: <c>null</c>.</summary>
    /// <param name="before">The last one of the page before; null for the first page.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<BulkAction>> ListAsync(Guid? before, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            select {Columns.Replace("filter::text as filter", ShortFilter, StringComparison.Ordinal)}
            from bulk_actions where id < $1 order by id desc limit $2
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = before ?? Guid.AllBitsSet });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>Targets of a bulk action in one state, in the order of their ids.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<BulkItem>> ItemsAsync(
        Guid id,
        BulkItemState state,
        Guid? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            select target_id, state, settled_at, note from bulk_items
            where bulk_action_id = $1 and state = $2 and target_id > $3 order by target_id limit $4
            """
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)state });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = after ?? Guid.Empty });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        var items = new List<BulkItem>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(
                new BulkItem
                {
                    BulkActionId = id,
                    TargetId = reader.GetGuid("target_id"),
                    State = (BulkItemState)reader.GetInt16("state"),
                    SettledAt = reader.Optional<DateTimeOffset>("settled_at"),
                    Note = reader.OptionalText("note"),
                }
            );
        }

        return items;
    }

    internal static async Task<List<BulkAction>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var actions = new List<BulkAction>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            actions.Add(Of(reader));
        return actions;
    }

    /// <summary>The bulk action of a row with <see cref="Columns"/>.</summary>
    internal static BulkAction Of(NpgsqlDataReader reader) =>
        new()
        {
            Id = reader.GetGuid("id"),
            Kind = reader.GetString("kind"),
            Step = reader.OptionalText("step"),
            Filter = reader.GetString("filter"),
            PerSecond = reader.GetInt32("per_second"),
            State = (BulkState)reader.GetInt16("state"),
            Total = reader.GetInt32("total"),
            Done = reader.GetInt32("done"),
            Skipped = reader.GetInt32("skipped"),
            Refused = reader.GetInt32("refused"),
            Rehearsal = reader.GetString("rehearsal"),
            CreatedBy = reader.GetString("created_by"),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>("created_at"),
            ConfirmedBy = reader.OptionalText("confirmed_by"),
            ConfirmedAt = reader.Optional<DateTimeOffset>("confirmed_at"),
            Reason = reader.OptionalText("reason"),
            Note = reader.OptionalText("note"),
            MovedAt = reader.GetFieldValue<DateTimeOffset>("moved_at"),
            FinishedAt = reader.Optional<DateTimeOffset>("finished_at"),
            IdempotencyKey = reader.OptionalText("idempotency_key"),
            RequestHash = reader.IsDBNull("request_hash") ? null : reader.GetFieldValue<byte[]>("request_hash"),
        };
}
