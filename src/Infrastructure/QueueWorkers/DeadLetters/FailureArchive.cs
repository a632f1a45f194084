using Npgsql;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// Puts failures away and brings them back. The index keeps the whole message, so nothing depends on the queue's copy:
/// that is taken out, or put back, by the reconciler.
/// </summary>
public sealed class FailureArchive(NpgsqlDataSource database, ISubjectDirectory subjects, FailureOptions options)
{
    // A row that waits in a redrive is not put away under its hands.
    internal static readonly string NotInRedrive =
        $"not exists (select from redrive_items i where i.failure_id = f.id and i.state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D}))";

    /// <summary>Archives all that match and are dead-lettered.</summary>
    /// <param name="filter">Which ones; not an empty one.</param>
    /// <param name="record">Who does it and why; the count is filled in.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>How many.</returns>
    /// <exception cref="InvalidFilterException">The filter is empty or cannot be used.</exception>
    public async Task<long> ArchiveAsync(FailureFilter filter, AuditEntry record, CancellationToken cancellationToken)
    {
        if (filter.IsEmpty)
            throw new InvalidFilterException(
                "An empty filter would archive everything that is dead-lettered; say which ones."
            );
        // Before a connection is held: it may need one of its own.
        var condition = await FilterSql.OfAsync(
            filter with
            {
                State = FailureState.Failed,
            },
            subjects,
            cancellationToken
        );
        Failpoint.Hit("deadletter.before_archive", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var archived = await MarkAsync(
            connection,
            condition,
            $"Archived by {record.Who}: {record.Reason}",
            cancellationToken
        );
        await AuditLog.WriteAsync(connection, Counted(record, archived.Count), cancellationToken);
        Failpoint.Hit("deadletter.before_commit_archive", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_commit_archive", Outside.Database);
        return archived.Count;
    }

    /// <summary>
    /// Archives those of some failures that are dead-lettered, in the caller's transaction, which also writes the audit
    /// record.
    /// </summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="ids">Which ones.</param>
    /// <param name="unchangedSince">Those that have failed anew since then are left alone.</param>
    /// <param name="note">Who archives them and why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Those that were archived.</returns>
    internal async Task<IReadOnlyList<Guid>> MarkAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Guid> ids,
        DateTimeOffset unchangedSince,
        string note,
        CancellationToken cancellationToken
    )
    {
        var condition = await FilterSql.OfAsync(
            new FailureFilter { Ids = ids, State = FailureState.Failed },
            subjects,
            cancellationToken
        );
        condition.Add("f.last_at <= {0}", unchangedSince);
        return await MarkAsync(connection, condition, note, cancellationToken);
    }

    private async Task<IReadOnlyList<Guid>> MarkAsync(
        NpgsqlConnection connection,
        FilterSql condition,
        string note,
        CancellationToken cancellationToken
    )
    {
        await using var command = condition.Command(
            connection,
            $"""
            update failures a set state = {FailureState.Archived:D}, closed_at = now(),
                restorable_until = now() + ${condition.Next}, note = ${condition.Next + 1}
            from (select f.id from failures f where {condition.Condition} and {NotInRedrive}
                order by f.id for no key update) l
            where a.id = l.id returning a.id
            """,
            options.RestorableFor,
            note
        );
        Failpoint.Hit("deadletter.before_mark_archived", Outside.Database);
        var archived = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            archived.Add(reader.GetGuid(0));
        return archived;
    }

    /// <summary>Brings archived ones back while they are restorable, and ones that had gone from their queue.</summary>
    /// <returns>How many.</returns>
    public async Task<long> RestoreAsync(
        IReadOnlyCollection<Guid> ids,
        AuditEntry record,
        CancellationToken cancellationToken
    )
    {
        Failpoint.Hit("deadletter.before_restore", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"""
            update failures f set state = {FailureState.Failed:D}, closed_at = null, restorable_until = null,
                last_at = now(), note = $2,
                -- A message that is still in its queue only has to stay there; a quarantined row never left the outbox.
                removed_at = case when f.queue = 'outbox' then null
                    when f.state = {FailureState.Gone:D} then coalesce(f.removed_at, now()) else f.removed_at end
            from (select id from failures
                where id = any($1) and (state = {FailureState.Archived:D} and restorable_until > now()
                    or state = {FailureState.Gone:D} and queue <> 'outbox')
                order by id for no key update) l
            where f.id = l.id
            """,
            connection
        );
        command.Parameters.Add(new() { Value = ids.ToArray() });
        command.Parameters.Add(new() { Value = $"Restored by {record.Who}: {record.Reason}" });
        var count = await command.ExecuteNonQueryAsync(cancellationToken);
        await AuditLog.WriteAsync(connection, Counted(record, count), cancellationToken);
        Failpoint.Hit("deadletter.before_commit_restore", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_commit_restore", Outside.Database);
        return count;
    }

    private static AuditEntry Counted(AuditEntry record, int count) =>
        new()
        {
            Who = record.Who,
            Role = record.Role,
            Action = record.Action,
            Target = record.Target,
            Filter = record.Filter,
            Reason = record.Reason,
            Count = count,
        };
}
