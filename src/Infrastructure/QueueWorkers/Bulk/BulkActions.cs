using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators;
using QueueWorkers.PersonalData;

namespace QueueWorkers.Bulk;

/// <summary>
/// Rehearses, confirms, pauses, resumes and ends bulk actions. <see cref="BulkRunner"/> acts,
/// <see cref="BulkReader"/> reads. A confirmation and each later change is one audit record, in the same transaction.
/// </summary>
public sealed class BulkActions(
    NpgsqlDataSource database,
    IEnumerable<IBulkKind> kinds,
    BulkReader reader,
    PersonalDataHash hash
)
{
    private const string HashPurpose = "bulk request";

    // A rehearsal looks at every target once. Less than a command may take: the operator is told to narrow the filter,
    // and not that the database is away.
    private const int SecondsToChoose = 12;

    private readonly Dictionary<string, IBulkKind> _kinds = kinds.ToDictionary(kind => kind.Name);

    /// <summary>
    /// Chooses the targets and stores them: they, and no others, are acted on after the confirmation. Nothing else is
    /// changed. Dying before the commit leaves nothing; after it a rehearsal, which ends by itself after an hour.
    /// </summary>
    /// <returns>The rehearsal, and whether an earlier request with the same key had made it.</returns>
    /// <exception cref="InvalidFilterException">The filter is empty or cannot be used.</exception>
    /// <exception cref="BulkRefusedException">Something else is wrong.</exception>
    public Task<(BulkAction Action, bool Replayed)> RehearseAsync(
        BulkRequest request,
        string by,
        CancellationToken cancellationToken
    ) => RehearseAsync(request, by, record: null, cancellationToken);

    /// <summary>The same, with an audit record: of somebody whose rehearsals are worth one, such as an assistant.</summary>
    /// <exception cref="InvalidFilterException">The filter is empty or cannot be used.</exception>
    /// <exception cref="BulkRefusedException">Something else is wrong.</exception>
    public async Task<BulkAction> RehearseAsync(
        BulkRequest request,
        AuditEntry record,
        CancellationToken cancellationToken
    ) => (await RehearseAsync(request, record.Who, record, cancellationToken)).Action;

    private async Task<(BulkAction Action, bool Replayed)> RehearseAsync(
        BulkRequest request,
        string by,
        AuditEntry? record,
        CancellationToken cancellationToken
    )
    {
        if (!_kinds.TryGetValue(request.Kind, out var kind))
            throw new BulkRefusedException(
                "unknown-kind",
                $"kind must be one of {string.Join(", ", _kinds.Keys.Order())}, got '{request.Kind}'."
            );
        if (request.PerSecond is < 1 or > BulkRequest.MostPerSecond)
            throw new InvalidFilterException(
                $"perSecond must be 1–{BulkRequest.MostPerSecond}, got {request.PerSecond}."
            );
        var selection = await kind.SelectAsync(request, cancellationToken);
        var bytes = request.IdempotencyKey is null
            ? null
            : hash.Of(HashPurpose, $"{request.Kind}\n{request.Step}\n{request.PerSecond}\n{selection.Filter}");
        var id = DatabaseClock.NewId();
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await InsertAsync(connection, id, kind, request, selection.Filter, by, bytes, cancellationToken))
            {
                await ChooseAsync(connection, id, selection, cancellationToken);
                if (record is null)
                    await transaction.CommitAsync(cancellationToken);
                else if (await LockAsync(connection, id, cancellationToken) is var action)
                    await CommitAsync(connection, transaction, record, action, action.Total);
            }
            else
            {
                id = await EarlierAsync(connection, by, request.IdempotencyKey!, bytes!, cancellationToken);
                await transaction.RollbackAsync(CancellationToken.None);
                return ((await reader.FindAsync(id, cancellationToken))!, true);
            }
        }

        return ((await reader.FindAsync(id, cancellationToken))!, false);
    }

    /// <summary>Lets a rehearsal begin. Confirming it again changes nothing.</summary>
    /// <param name="id">The rehearsal.</param>
    /// <param name="expect">The number of targets that the operator has seen.</param>
    /// <param name="record">Who confirms it and why.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="BulkRefusedException">It has another number, no targets, or was ended.</exception>
    public async Task ConfirmAsync(Guid id, int expect, AuditEntry record, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var action = await LockAsync(connection, id, cancellationToken);
        if (action.Total != expect)
            throw new BulkRefusedException(
                "count-changed",
                $"The rehearsal is about {action.Total} targets, not {expect}; look again."
            );
        if (action.Total == 0)
            throw new BulkRefusedException("nothing-matches", "The rehearsal found nothing to act on.");
        // Whoever repeats a confirmation whose answer was lost, or comes second, is told how it stands.
        if (action.ConfirmedAt is not null)
            return;
        if (action.State != BulkState.Rehearsed)
            throw new BulkRefusedException("not-open", $"It is no open rehearsal any more. {action.Note}");
        await BulkSql.ExecuteAsync(
            connection,
            $"""
            update bulk_actions set state = {BulkState.Running:D}, confirmed_by = $2, confirmed_at = now(), reason = $3,
                moved_at = now()
            where id = $1
            """,
            cancellationToken,
            id,
            record.Who,
            StorableText.Of(PersonalText.Of(record.Reason ?? ""))
        );
        await CommitAsync(connection, transaction, record, action, action.Total);
    }

    /// <summary>Holds a running bulk action. What is done is done, the rest waits.</summary>
    /// <exception cref="BulkRefusedException">It is not running.</exception>
    public Task PauseAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            [BulkState.Running],
            "It is not running.",
            $"update bulk_actions set state = {BulkState.Paused:D}, note = $2 where id = $1",
            $"Paused by {record.Who}: {record.Reason}",
            cancellationToken
        );

    /// <summary>Lets a paused bulk action go on from where it stands.</summary>
    /// <exception cref="BulkRefusedException">It is not paused.</exception>
    public Task ResumeAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            [BulkState.Paused],
            "It is not paused.",
            $"update bulk_actions set state = {BulkState.Running:D}, note = $2, moved_at = now() where id = $1",
            $"Resumed by {record.Who}: {record.Reason}",
            cancellationToken
        );

    /// <summary>Ends a bulk action: targets whose turn has not come are left alone for good.</summary>
    /// <exception cref="BulkRefusedException">It has ended before.</exception>
    public Task EndAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            [BulkState.Rehearsed, BulkState.Running, BulkState.Paused],
            "It has ended before.",
            BulkSql.End,
            $"Ended by {record.Who}: {record.Reason}",
            cancellationToken
        );

    private static async Task ChooseAsync(
        NpgsqlConnection connection,
        Guid id,
        BulkSelection selection,
        CancellationToken cancellationToken
    )
    {
        BulkRehearsal found;
        try
        {
            await BulkSql.ExecuteAsync(
                connection,
                $"set local statement_timeout = '{SecondsToChoose}s'",
                cancellationToken
            );
            found = await selection.ChooseAsync(connection, id, cancellationToken);
        }
        catch (PostgresException slow) when (slow.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            throw new BulkRefusedException(
                "too-slow",
                $"The targets were not found within {SecondsToChoose} s; narrow the filter, by its times for example."
            );
        }

        await using var command = new NpgsqlCommand(
            """
            update bulk_actions set rehearsal = $2, total = (select count(*) from bulk_items where bulk_action_id = $1)
            where id = $1 returning total
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter { Value = found.ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb });
        var total = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        // The choice looks at no more than that: behind it there may be others, also ones that could be acted on.
        if (found.Matched > BulkRequest.MostTargets || total > BulkRequest.MostTargets)
            throw new BulkRefusedException(
                "too-many",
                $"More than {BulkRequest.MostTargets} targets match; narrow the filter."
            );
    }

    // False when a request with the same key has made one: whoever comes second waits for the first to commit.
    private static async Task<bool> InsertAsync(
        NpgsqlConnection connection,
        Guid id,
        IBulkKind kind,
        BulkRequest request,
        string filter,
        string by,
        byte[]? requestHash,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into bulk_actions (id, kind, step, filter, per_second, state, total, done, skipped, refused,
                rehearsal, created_by, idempotency_key, request_hash)
            values ($1, $2, $3, $4, $5, {BulkState.Rehearsed:D}, 0, 0, 0, 0, jsonb_build_object(), $6, $7, $8)
            on conflict (created_by, idempotency_key) where idempotency_key is not null do nothing
            """,
            connection
        );
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        p.Add(new NpgsqlParameter<string> { TypedValue = kind.Name });
        p.Add(new NpgsqlParameter { Value = (object?)request.Step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        // Everybody may read it, for as long as the bulk action is kept.
        p.Add(new NpgsqlParameter { Value = PersonalText.OfJson(filter), NpgsqlDbType = NpgsqlDbType.Jsonb });
        p.Add(new NpgsqlParameter<int> { TypedValue = request.PerSecond ?? kind.PerSecond });
        p.Add(new NpgsqlParameter<string> { TypedValue = by });
        p.Add(
            new NpgsqlParameter
            {
                Value = (object?)request.IdempotencyKey ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Text,
            }
        );
        p.Add(new NpgsqlParameter { Value = (object?)requestHash ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private static async Task<Guid> EarlierAsync(
        NpgsqlConnection connection,
        string by,
        string key,
        byte[] requestHash,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select id from bulk_actions where created_by = $1 and idempotency_key = $2 and request_hash = $3",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = by });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = requestHash });
        return await command.ExecuteScalarAsync(cancellationToken) is Guid id
            ? id
            : throw new BulkRefusedException(
                "idempotency-key-reused",
                "The Idempotency-Key was used for another request; send a new key."
            );
    }

    private async Task ChangeAsync(
        Guid id,
        AuditEntry record,
        BulkState[] from,
        string otherwise,
        string sql,
        string note,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var action = await LockAsync(connection, id, cancellationToken);
        if (!from.Contains(action.State))
            throw new BulkRefusedException("not-open", otherwise);
        await BulkSql.ExecuteAsync(connection, sql, cancellationToken, id, StorableText.Of(PersonalText.Of(note)));
        await CommitAsync(connection, transaction, record, action, action.Left);
    }

    private static async Task<BulkAction> LockAsync(
        NpgsqlConnection connection,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"select {BulkReader.Columns} from bulk_actions where id = $1 for no key update",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (await BulkReader.ReadAsync(command, cancellationToken)).FirstOrDefault()
            ?? throw new BulkRefusedException("not-found", $"There is no bulk action {id}.");
    }

    private static async Task CommitAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        AuditEntry record,
        BulkAction action,
        int count
    )
    {
        await AuditLog.WriteAsync(
            connection,
            new AuditEntry
            {
                Who = record.Who,
                Role = record.Role,
                Action = record.Action,
                Target = $"bulk action {action.Id}",
                Filter = action.Filter,
                Count = count,
                Reason = record.Reason,
                Result = record.Result,
            },
            CancellationToken.None
        );
        await transaction.CommitAsync(CancellationToken.None);
    }
}
