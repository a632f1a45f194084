using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>The relay's statements.</summary>
internal static class OutboxQueries
{
    /// <summary>So many transactions take due rows at the same time; two make 15,700 rows a second.</summary>
    internal const int Takers = 4;

    // The first key of its locks; the second is 1 to Takers.
    private const int TakerLock = 0x4F757462;

    private static readonly string IsMyTurn = string.Join(
        " or ",
        Enumerable.Range(1, Takers).Select(n => $"pg_try_advisory_xact_lock({TakerLock}, {n})")
    );

    // "= any(array(select …))" and not a join: the rows are found through the index on due_at and locked one by one,
    // whatever else lies in the table.
    // The higher class comes first, through an index of its own; then the oldest of all, so that the others go on
    // however many of the higher class are due.
    // Few at a time, of all processes together (a lock of the transaction, so it also ends with its process): each that
    // looks steps over the rows that the others hold, one by one. A hundred processes that did so at once on two cores
    // kept the database busy with nothing else, the leases of the rows in memory ended meanwhile, and these became due
    // too: 27 orders a second instead of 150.
    // By bytes, too: of those it has locked it takes what fits, of both at least one. The size of a large body is known
    // without reading it. The rest is free again with the commit.
    // Behind the low-water mark, $2: what lies before it is dead, and nobody steps over it.
    internal static readonly string Take = $"""
        with turn as materialized (select {IsMyTurn} as mine),
            first as materialized (
                select id, octet_length(body) as size from outbox where (select mine from turn) and dead_at is null
                    and priority > 4 and due_at >= $2 and due_at <= now() order by due_at limit $1 / 2
                    for update skip locked),
            oldest as materialized (
                select id, octet_length(body) as size from outbox where (select mine from turn) and dead_at is null
                    and due_at >= $2 and due_at <= now() order by due_at limit $1 for update skip locked)
        delete from outbox where id = any(array(
                select id from (select id, size, sum(size) over (rows unbounded preceding) as total from first) as f
                    where total <= {OutboxOptions.BatchBytes / 2} or total = size)
            || array(
                select id from (select id, size, sum(size) over (rows unbounded preceding) as total from oldest) as o
                    where total <= {OutboxOptions.BatchBytes} or total = size))
        returning id, message_id, exchange, routing_key, correlation_id, content_type, headers, body, priority,
            mandatory, expires_at, attempts, last_error
        """;

    // Through the same index. What failed before (it has an error) waits for this trial, whenever it is due; what is
    // delayed on purpose, or was refused, does not.
    private const string TakeOne = """
        delete from outbox where id = (
            select id from outbox where dead_at is null and due_at >= $3
                and (due_at <= now() or last_error is not null and attempts = 0)
                and exchange = $1 and routing_key = $2 order by due_at limit 1 for update skip locked)
        returning id, message_id, exchange, routing_key, correlation_id, content_type, headers, body, priority,
            mandatory, expires_at, attempts, last_error
        """;

    // Not waited for on disk: a row that a crash of the database brings back is sent again, and its copy dropped by the
    // steps.
    private const string Delete = """
        with lazily as materialized (
            select set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '500ms', true))
        delete from outbox where id = any($1) and exists (select from lazily)
        """;

    // Without those that a stalled poller holds: it sends them, or they are due again. The others would be due, too,
    // while they are waited for. Not the usual statement: it writes a lock for each row.
    private const string DeleteFree =
        "delete from outbox where id = any(array(select id from outbox where id = any($1) for update skip locked))";

    private const string Defer = """
        update outbox set attempts = t.attempts, last_error = t.error, due_at = now() + t.wait,
            dead_at = case when t.dead then now() end
        from unnest($1::uuid[], $2::smallint[], $3::text[], $4::interval[], $5::boolean[]) as t(id, attempts, error,
            wait, dead) where outbox.id = t.id
        """;

    // From this moment on, and not from the transaction's start: the confirms have been waited for since.
    private const string PutBack = """
        insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
            priority, mandatory, expires_at, attempts, last_error, due_at, dead_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp() + $14,
            case when $15 then now() end)
        """;

    // The list is empty, as a rule, and then costs no page.
    internal static readonly string NextDue = $"""
        select min(due_at), clock_timestamp(), exists (select from slow_destinations where {SharedTrials.IsAbandoned})
        from outbox where dead_at is null and due_at >= $1
        """;

    /// <summary>What a look at the table has found.</summary>
    /// <param name="Next">How long until the next row is due; null when the table holds none that is alive.</param>
    /// <param name="IsAnyAbandoned">Whether a destination that takes nothing is tried by nobody.</param>
    internal readonly record struct Look(TimeSpan? Next, bool IsAnyAbandoned);

    /// <summary>
    /// Takes due rows out of the table, inside the caller's transaction: a rollback, or a crash, puts them back. The
    /// higher class comes first. Finds none while <see cref="Takers"/> others are at it.
    /// </summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="limit">So many of all classes, and half as many of the higher class besides.</param>
    /// <param name="from">The low-water mark: no row before it is looked at.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<List<OutboxMessage>> TakeAsync(
        NpgsqlConnection connection,
        int limit,
        DateTimeOffset from,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Take, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
        var rows = await ReadAsync(command, cancellationToken);
        rows.Sort(
            static (a, b) => (b.Priority ?? PriorityBatcher.Normal).CompareTo(a.Priority ?? PriorityBatcher.Normal)
        );
        return rows;
    }

    /// <summary>
    /// Takes one row of a destination that takes nothing, as <see cref="TakeAsync"/> does, for a trial; none or one.
    /// </summary>
    public static async Task<List<OutboxMessage>> TakeOneAsync(
        NpgsqlConnection connection,
        Destination destination,
        DateTimeOffset from,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(TakeOne, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = destination.Exchange });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = destination.RoutingKey });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
        return await ReadAsync(command, cancellationToken);
    }

    private static async Task<List<OutboxMessage>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<OutboxMessage>();
        Failpoint.Hit("relay.before_take", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(
                new OutboxMessage
                {
                    Id = reader.GetGuid(0),
                    MessageId = reader.GetGuid(1),
                    Exchange = reader.GetString(2),
                    RoutingKey = reader.GetString(3),
                    CorrelationId = reader.IsDBNull(4) ? null : reader.GetString(4),
                    ContentType = reader.GetString(5),
                    Headers = reader.GetString(6),
                    Body = reader.GetFieldValue<byte[]>(7),
                    Priority = reader.IsDBNull(8) ? null : reader.GetInt16(8),
                    Mandatory = reader.GetBoolean(9),
                    ExpiresAt = reader.IsDBNull(10) ? null : reader.GetFieldValue<DateTimeOffset>(10),
                    Attempts = reader.GetInt16(11),
                    LastError = reader.IsDBNull(12) ? null : reader.GetString(12),
                }
            );
        }

        return rows;
    }

    /// <summary>Removes confirmed rows.</summary>
    public static async Task DeleteAsync(NpgsqlDataSource database, Guid[] ids, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteAsync(database, Delete, ids, cancellationToken);
        }
        catch (PostgresException held) when (DatabaseFault.IsLockTimeout(held))
        {
            await DeleteAsync(database, DeleteFree, ids, cancellationToken);
        }
    }

    /// <summary>Writes to rows still in the table why they were not sent and when to try again.</summary>
    public static async Task DeferAsync(
        NpgsqlDataSource database,
        IReadOnlyList<PublishFailure> publishFailures,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Defer);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = [.. publishFailures.Select(s => s.Message.Id)] }
        );
        command.Parameters.Add(
            new NpgsqlParameter<short[]> { TypedValue = [.. publishFailures.Select(s => s.Attempts)] }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = [.. publishFailures.Select(s => s.Error ?? "")] }
        );
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan[]>
            {
                TypedValue = [.. publishFailures.Select(s => s.Wait)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval,
            }
        );
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. publishFailures.Select(s => s.Dead)] });
        Failpoint.Hit("relay.before_defer", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("relay.after_defer", Outside.Database);
    }

    /// <summary>Puts rows that were taken back into the table, inside the transaction that took them.</summary>
    public static async Task PutBackAsync(
        NpgsqlConnection connection,
        IReadOnlyList<PublishFailure> publishFailures,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var s in publishFailures)
        {
            var m = s.Message;
            var command = new NpgsqlBatchCommand(PutBack);
            var p = command.Parameters;
            p.Add(new NpgsqlParameter<Guid> { TypedValue = m.Id });
            p.Add(new NpgsqlParameter<Guid> { TypedValue = m.MessageId });
            p.Add(new NpgsqlParameter<string> { TypedValue = m.Exchange });
            p.Add(new NpgsqlParameter<string> { TypedValue = m.RoutingKey });
            p.Add(
                new NpgsqlParameter
                {
                    Value = (object?)m.CorrelationId ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.Text,
                }
            );
            p.Add(new NpgsqlParameter<string> { TypedValue = m.ContentType });
            p.Add(new NpgsqlParameter<string> { TypedValue = m.Headers });
            p.Add(new NpgsqlParameter<byte[]> { TypedValue = m.Body });
            p.Add(
                new NpgsqlParameter
                {
                    Value = (object?)m.Priority ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.Smallint,
                }
            );
            p.Add(new NpgsqlParameter<bool> { TypedValue = m.Mandatory });
            p.Add(
                new NpgsqlParameter
                {
                    Value = (object?)m.ExpiresAt ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.TimestampTz,
                }
            );
            p.Add(new NpgsqlParameter<short> { TypedValue = s.Attempts });
            p.Add(new NpgsqlParameter { Value = (object?)s.Error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            p.Add(new NpgsqlParameter<TimeSpan> { TypedValue = s.Wait, NpgsqlDbType = NpgsqlDbType.Interval });
            p.Add(new NpgsqlParameter<bool> { TypedValue = s.Dead });
            batch.BatchCommands.Add(command);
        }

        Failpoint.Hit("relay.before_put_back", Outside.Database);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Looks when the next row is due, from the low-water mark on, and sets it.
    /// </summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="mark">The mark.</param>
    /// <param name="pause">This process's share of the looks from the beginning.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<Look> NextDueAsync(
        NpgsqlConnection connection,
        LowWaterMark mark,
        TimeSpan pause,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(NextDue, connection);
        var from = mark.NextLook();
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
        Failpoint.Hit("relay.before_next_due", Outside.Database);
        var watch = Stopwatch.StartNew();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        DateTimeOffset? next = reader.IsDBNull(0) ? null : reader.GetFieldValue<DateTimeOffset>(0);
        var at = reader.GetFieldValue<DateTimeOffset>(1);
        mark.Learn(from, next, at, watch.Elapsed, pause);
        return new Look(
            next is { } due ? TimeSpan.FromTicks(Math.Clamp((due - at).Ticks, 0, TimeSpan.TicksPerHour)) : null,
            reader.GetBoolean(2)
        );
    }

    private static async Task DeleteAsync(
        NpgsqlDataSource database,
        string sql,
        Guid[] ids,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
        Failpoint.Hit("relay.before_delete", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("relay.after_delete", Outside.Database);
    }
}
