using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters.Recording;
using RabbitMQ.Client;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>A row of the index, as far as the comparison with a queue needs it.</summary>
internal readonly record struct IndexRow(Guid Id, FailureState State, int Copies);

/// <summary>A message to put back into its queue.</summary>
internal sealed record RestoredMessage(
    Guid Id,
    Guid MessageId,
    byte[] Body,
    string ContentType,
    string Headers,
    short? Priority
)
{
    public BasicProperties Properties()
    {
        // What cannot be sent is skipped: a message that could not be put back would keep all others of its queue from
        // being put back.
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = MessageId.ToString(),
            ContentType = QueueWorkers.Outbox.AmqpLimits.ShortStringOrNull(ContentType),
            Headers = QueueWorkers.Outbox.AmqpLimits.HeadersThatFit(Headers),
        };
        if (Priority is { } priority)
            properties.Priority = (byte)priority;
        return properties;
    }
}

/// <summary>The statements of <see cref="FailureReconciler"/>.</summary>
internal static class ReconcilerSql
{
    private const string Rows = """
        select f.identity, f.generation, f.id, f.state, f.copies
            from unnest($2::uuid[], $3::integer[]) as t(identity, generation)
        join failures f on f.queue = $1 and f.identity = t.identity and f.generation = t.generation
        """;

    // Of one kind only, so that nothing is taken out of a queue of another: what nobody consumed has no work to be done.
    private static readonly string CloseDone = $"""
        update failures f set state = {FailureState.Redriven:D}, closed_at = now(), note = '{FailureRows.DoneByAnotherCopy}'
        from (select id from failures where id = any($1) and state = {FailureState.Failed:D}
            and kind = {FailureKind.Error:D} order by id for no key update) l
        where f.id = l.id and {FailureTable.IsDone("f")}
        returning f.id
        """;

    private static readonly string CloseMissing = $"""
        with missing as (
            select f.id, f.state, f.message_id, f.step, f.subject_id from failures f
            where f.queue = $1 and {FailureTable.InQueue} and f.last_at < $2
                and not exists (select from unnest($3::uuid[], $4::integer[]) as t(identity, generation)
                    where t.identity = f.identity and t.generation = f.generation)
            order by f.id for no key update),
        judged as (
            select m.id, m.state, m.state = {FailureState.Failed:D} and {FailureTable.IsDone("m")} as done
            from missing m),
        closed as (
            update failures f set removed_at = now(),
                state = case when j.state <> {FailureState.Failed:D} then j.state
                    when j.done then {FailureState.Redriven:D} else {FailureState.Gone:D} end,
                closed_at = coalesce(f.closed_at, now()),
                note = case when j.state <> {FailureState.Failed:D} then f.note
                    when j.done then '{FailureRows.DoneByAnotherCopy}'
                    else 'The message is not in its queue any more: purged or moved by hand.' end
            from judged j where f.id = j.id and f.state = j.state and f.removed_at is null
                returning j.state as was, j.done)
        select count(*) filter (where was = {FailureState.Failed:D} and done)::integer as done,
            count(*) filter (where was = {FailureState.Failed:D} and not done)::integer as gone from closed
        """;

    // As many as a window of bytes holds, and at least one. The length of a body is known without reading it.
    private static readonly string Restored = $"""
        select id, message_id, body, content_type, headers, priority from failures where id = any(array(
            select id from (select id, sum(octet_length(body)) over (order by id) - octet_length(body) as before
                from (select id, body from failures where queue = $1 and state = {FailureState.Failed:D}
                    and removed_at is not null order by id limit 1000) r) w
            where before < $2))
        """;

    // The database's clock: the rows were stamped by it or by machines that may differ a little; the grace covers that.
    public static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, "select clock_timestamp()");
        Failpoint.Hit("deadletter.before_read_clock", Outside.Database);
        return (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // How many messages the index says stand in the queue.
    public static async Task<long> DeadLetteredAsync(
        NpgsqlConnection connection,
        string queue,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            "select count(*) from failures where queue = $1 and state = $2",
            queue,
            (short)FailureState.Failed
        );
        Failpoint.Hit("deadletter.before_count_rows", Outside.Database);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public static async Task<Dictionary<(Guid Identity, int Generation), IndexRow>> RowsAsync(
        NpgsqlConnection connection,
        string queue,
        IReadOnlyList<DeadLetter> found,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            Rows,
            queue,
            found.Select(f => f.Identity).ToArray(),
            found.Select(f => f.Generation).ToArray()
        );
        var rows = new Dictionary<(Guid, int), IndexRow>();
        Failpoint.Hit("deadletter.before_read_rows", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows[(reader.GetGuid("identity"), reader.GetInt32("generation"))] = new IndexRow(
                reader.GetGuid("id"),
                (FailureState)reader.GetInt16("state"),
                reader.GetInt32("copies")
            );
        return rows;
    }

    public static async Task<(int Done, int Gone)> CloseMissingAsync(
        NpgsqlConnection connection,
        string queue,
        DateTimeOffset before,
        IReadOnlyList<DeadLetter> found,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            CloseMissing,
            queue,
            before,
            found.Select(f => f.Identity).ToArray(),
            found.Select(f => f.Generation).ToArray()
        );
        Failpoint.Hit("deadletter.before_close_missing", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_close_missing", Outside.Database);
        return (reader.GetInt32("done"), reader.GetInt32("gone"));
    }

    // Which of the failures another copy of the message has done: their messages are to be taken out.
    public static async Task<HashSet<Guid>> CloseDoneAsync(
        NpgsqlConnection connection,
        Guid[] ids,
        CancellationToken cancellationToken
    )
    {
        if (ids.Length == 0)
            return [];
        await using var command = Command(connection, CloseDone, ids);
        var done = new HashSet<Guid>();
        Failpoint.Hit("deadletter.before_close_done", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            done.Add(reader.GetGuid("id"));
        Failpoint.Hit("deadletter.after_close_done", Outside.Database);
        return done;
    }

    public static async Task MarkRemovedAsync(
        NpgsqlConnection connection,
        Guid[] ids,
        CancellationToken cancellationToken
    )
    {
        if (ids.Length == 0)
            return;
        // Locked in the order of their ids, as by whoever sends and settles redrives.
        await using var command = Command(
            connection,
            """
            update failures f set removed_at = now() from (select id from failures
                where id = any($1) and removed_at is null order by id for no key update) l where f.id = l.id
            """,
            ids
        );
        Failpoint.Hit("deadletter.before_mark_removed", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_mark_removed", Outside.Database);
    }

    public static async Task MarkPutBackAsync(
        NpgsqlConnection connection,
        Guid[] ids,
        CancellationToken cancellationToken
    )
    {
        // Now: the grace begins again, for a look that began before the message was there.
        await using var command = Command(
            connection,
            $"""
            update failures f set removed_at = null, last_at = now(), copies = 1 from (select id from failures
                where id = any($1) and state = {FailureState.Failed:D} order by id for no key update) l
            where f.id = l.id
            """,
            ids
        );
        Failpoint.Hit("deadletter.before_mark_put_back", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_mark_put_back", Outside.Database);
    }

    public static async Task SetCopiesAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(Guid Id, int Copies)> copies,
        CancellationToken cancellationToken
    )
    {
        if (copies.Count == 0)
            return;
        await using var command = Command(
            connection,
            """
            update failures f set copies = t.copies from unnest($1::uuid[], $2::integer[]) as t(id, copies)
                join (select id from failures where id = any($1) order by id for no key update) l using (id)
            where f.id = t.id
            """,
            copies.Select(c => c.Id).ToArray(),
            copies.Select(c => c.Copies).ToArray()
        );
        Failpoint.Hit("deadletter.before_set_copies", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_set_copies", Outside.Database);
    }

    public static async Task<List<RestoredMessage>> RestoredAsync(
        NpgsqlConnection connection,
        string queue,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(connection, Restored, queue, (long)QueuePeek.WindowBytes);
        var messages = new List<RestoredMessage>();
        Failpoint.Hit("deadletter.before_read_restored", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            messages.Add(
                new(
                    reader.GetGuid("id"),
                    reader.GetGuid("message_id"),
                    reader.GetFieldValue<byte[]>("body"),
                    reader.GetString("content_type"),
                    reader.GetString("headers"),
                    reader.Optional<short>("priority")
                )
            );
        return messages;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}
