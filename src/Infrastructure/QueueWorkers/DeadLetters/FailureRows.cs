using Npgsql;
using NpgsqlTypes;
using QueueWorkers.DeadLetters.Recording;

namespace QueueWorkers.DeadLetters;

/// <summary>Writes dead-lettered messages into the index, any number in one statement.</summary>
internal static class FailureRows
{
    // The same message dead-lettered once more (a worker died between the row and the move; a copy; moved back by hand)
    // is not a second failure.
    // One that had gone is back; one that was sent again, or put away, stays what it is: its copy in the queue is only
    // still to be taken out.
    private static readonly string Upsert = $$"""
        insert into failures as f (id, state, kind, queue, identity, generation, copies, message_id, step, message_type,
            subject_id, fault_type, fault_message, stack, fingerprint, attempts,
            first_at, last_at, build, host, payload, body, content_type, headers, priority)
        select t.id, 1, t.kind, t.queue, t.identity, t.generation, t.copies, t.message_id, t.step, t.message_type,
            t.subject_id, t.fault_type, t.fault_message, t.stack, t.fingerprint, t.attempts,
            coalesce((select min(p.first_at) from failures p where p.message_id = t.message_id and p.queue = t.queue),
                t.at), t.at, t.build, t.host, try_jsonb(t.payload), t.body, t.content_type,
            coalesce(try_jsonb(t.headers), '{}'), t.priority
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::uuid[], $5::integer[], $6::integer[], $7::uuid[],
            $8::text[], $9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[], $14::text[],
                    $15::integer[], $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::bytea[],
                        $21::text[], $22::text[], $23::smallint[])
             as t(id, kind, queue, identity, generation, copies, message_id, step, message_type, subject_id, fault_type,
                 fault_message, stack, fingerprint,
                  attempts, at, build, host, payload, body, content_type, headers, priority)
        on conflict (queue, identity, generation) do update set
            state = {{FailureState.Failed:D}}, copies = greatest(f.copies, excluded.copies), removed_at = null,
                closed_at = null, note = null, last_at = excluded.last_at,
                attempts = greatest(f.attempts, excluded.attempts),
            fault_type = excluded.fault_type, fault_message = excluded.fault_message,
                stack = coalesce(excluded.stack, f.stack), fingerprint = excluded.fingerprint, build = excluded.build,
                host = excluded.host
            where f.state in ({{FailureState.Failed:D}}, {{FailureState.Gone:D}})
        """;

    // Rows that are there already are locked in the order of their ids before they are written in that of the messages.
    private const string Lock = """
        select from failures f join unnest($1::text[], $2::uuid[], $3::integer[]) as t(queue, identity, generation)
            using (queue, identity, generation)
        order by f.id for no key update of f
        """;

    private static readonly string Close = $"""
        update failures f set state = {FailureState.Redriven:D}, closed_at = now(), note = $3
        from (select id from failures where message_id = $1 and step = $2 and state = {FailureState.Failed:D}
            order by id for no key update) l where f.id = l.id
        """;

    /// <summary>The note of a failure whose work was done without its message.</summary>
    internal const string DoneByAnotherCopy = "Another copy of the message has done the work.";

    /// <summary>Writes them, in the caller's transaction if there is one. Each identity at most once.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<DeadLetter> messages,
        CancellationToken cancellationToken
    )
    {
        if (messages.Count == 0)
            return;
        if (messages.Count > 1)
            await LockAsync(connection, messages, cancellationToken);
        await using var command = new NpgsqlCommand(Upsert, connection);
        var p = command.Parameters;
        Add(p, NpgsqlDbType.Uuid, messages, static m => Guid.CreateVersion7(m.At));
        Add(p, NpgsqlDbType.Smallint, messages, static m => (short)m.Kind);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Queue);
        Add(p, NpgsqlDbType.Uuid, messages, static m => m.Identity);
        Add(p, NpgsqlDbType.Integer, messages, static m => m.Generation);
        Add(p, NpgsqlDbType.Integer, messages, static m => m.Copies);
        Add(p, NpgsqlDbType.Uuid, messages, static m => m.MessageId);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Step);
        Add(p, NpgsqlDbType.Text, messages, static m => m.MessageType);
        Add(p, NpgsqlDbType.Uuid, messages, static m => m.SubjectId);
        Add(p, NpgsqlDbType.Text, messages, static m => m.FaultType);
        Add(p, NpgsqlDbType.Text, messages, static m => m.FaultMessage);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Stack);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Fingerprint);
        Add(p, NpgsqlDbType.Integer, messages, static m => m.Attempts);
        Add(p, NpgsqlDbType.TimestampTz, messages, static m => m.At);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Build);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Host);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Payload);
        Add(p, NpgsqlDbType.Bytea, messages, static m => m.Body);
        Add(p, NpgsqlDbType.Text, messages, static m => m.ContentType);
        Add(p, NpgsqlDbType.Text, messages, static m => m.Headers);
        Add(p, NpgsqlDbType.Smallint, messages, static m => m.Priority);
        Failpoint.Hit("deadletter.before_index", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_index", Outside.Database);
    }

    /// <summary>
    /// Closes what stands of a message because its work is done. The index takes the message out of its queue.
    /// </summary>
    public static async Task CloseAsync(
        NpgsqlConnection connection,
        Guid messageId,
        string step,
        string note,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Close, connection);
        command.Parameters.Add(new() { Value = messageId });
        command.Parameters.Add(new() { Value = step });
        command.Parameters.Add(new() { Value = note });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // Only in a transaction: without one each statement stands alone, and so do its locks.
    private static async Task LockAsync(
        NpgsqlConnection connection,
        IReadOnlyList<DeadLetter> messages,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Lock, connection);
        Add(command.Parameters, NpgsqlDbType.Text, messages, static m => m.Queue);
        Add(command.Parameters, NpgsqlDbType.Uuid, messages, static m => m.Identity);
        Add(command.Parameters, NpgsqlDbType.Integer, messages, static m => m.Generation);
        Failpoint.Hit("deadletter.before_lock_rows", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add<T>(
        NpgsqlParameterCollection parameters,
        NpgsqlDbType type,
        IReadOnlyList<DeadLetter> messages,
        Func<DeadLetter, T> column
    ) =>
        parameters.Add(
            new NpgsqlParameter<T[]>
            {
                TypedValue = [.. messages.Select(column)],
                NpgsqlDbType = NpgsqlDbType.Array | type,
            }
        );
}
