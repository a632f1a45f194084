using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.Leases;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>What the database knows of a message before its next run.</summary>
/// <param name="IsCopyOfDeadLetter">It was dead-lettered as a killer: this is a copy, and there is nothing to
/// run.</param>
/// <param name="Lost">Deliveries of it, and of its copies, that were lost.</param>
/// <param name="At">The time of the row, which tells a run's own mark from its successor's.</param>
internal readonly record struct SuspectNote(bool IsCopyOfDeadLetter, long Lost, DateTime At);

/// <summary>
/// The statements on <c>suspects</c>. Each is a transaction of its own, committed before the run that it is about: what
/// a message costs is counted by its original id, wherever its copies travel.
/// </summary>
internal sealed class SuspectRows(NpgsqlDataSource database, PoisonOptions options)
{
    // The message begins anew: it was redriven, or moved back by hand, or its dead letter was put away by an operator
    // or is gone. Only what stands in _error, or has left it by a redrive, has copies that are dropped.
    private static readonly string BeginAnew = $"""
        delete from suspects where message_id = $1 and step = $2 and (generation < $3 or dead_lettered_at is not null and $4
            or (dead_lettered_at is not null or generation > $3) and not exists (select from failures f
                where f.queue = $2 || '_error' and f.identity = $1 and f.generation = $3
                    and f.state in ({FailureState.Failed:D}, {FailureState.Redriving:D}, {FailureState.Redriven:D},
                        {FailureState.FailedAgain:D})))
        """;

    // A run among others that is found marked has died. Once the message is a suspect its runs alone are counted by
    // Mark, and the row is left as it is. No row comes back for a copy of what is dead-lettered.
    private const string Note = """
        insert into suspects as s (message_id, step, generation, lost, deaths, running, host)
        values ($1, $2, $3, $4, 0, $4 < $5, $6)
        on conflict (message_id, step) do update set
            lost = greatest(s.lost + (s.running and s.lost < $5)::int, excluded.lost),
            running = case when s.lost >= $5 then s.running
                else greatest(s.lost + s.running::int, excluded.lost) < $5 end,
            host = case when s.lost >= $5 then s.host else excluded.host end,
            at = case when s.lost >= $5 then s.at else clock_timestamp() end
            where s.dead_lettered_at is null and s.generation = excluded.generation
        returning lost, at
        """;

    private const string Look = """
        select deaths + running::int, running, host, clock_timestamp() - at from suspects
        where message_id = $1 and step = $2
        """;

    // Nothing is written without the lease: a process that stalled since it took the lease may have a successor, whose
    // mark is no death and must stay. The lock on the lease's row makes a successor wait.
    // No suspect's row: another run of the message has ended meanwhile.
    private const string Mark = """
        with held as (select from leases where name = $7 and holder = $8 for update)
        insert into suspects as s (message_id, step, generation, lost, deaths, running, host)
            select $1, $2, $3, $4, 0, $5, $6 from held
        on conflict (message_id, step) do update set deaths = s.deaths + s.running::int, running = excluded.running,
            host = excluded.host, at = clock_timestamp()
        returning at
        """;

    // By the time of the mark: a run that was taken for dead must not remove its successor's.
    private const string Remove = "delete from suspects where message_id = $1 and step = $2 and at = $3";

    // The run has not come to an end of its own: what was counted stays.
    private const string PutOff = "update suspects set running = false where message_id = $1 and step = $2 and at = $3";

    // A process that stalled longer than its lease was taken for dead by its successor, whose mark this is now: it has
    // not died after all.
    private const string NotDead =
        "update suspects set deaths = greatest(deaths - 1, 0) where message_id = $1 and step = $2";

    private const string DeadLettered = """
        update suspects set dead_lettered_at = clock_timestamp(), running = false, at = clock_timestamp()
        where message_id = $1 and step = $2
        """;

    /// <summary>
    /// Writes down what is known of a message that was lost before, and that a run of it begins.
    /// </summary>
    public async Task<SuspectNote> NoteAsync(StepRun run, DeliveryPast past, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        var anew = new NpgsqlBatchCommand(BeginAnew);
        AddKey(anew.Parameters, run.MessageId, run.Step);
        anew.Parameters.Add(new NpgsqlParameter<int> { TypedValue = past.Generation });
        anew.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = past.IsFromErrorQueue });
        batch.BatchCommands.Add(anew);
        var note = new NpgsqlBatchCommand(Note);
        AddKey(note.Parameters, run.MessageId, run.Step);
        note.Parameters.Add(new NpgsqlParameter<int> { TypedValue = past.Generation });
        note.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)past.Lost });
        note.Parameters.Add(new NpgsqlParameter<int> { TypedValue = options.SuspectAfter });
        note.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Environment.MachineName });
        batch.BatchCommands.Add(note);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new SuspectNote(false, reader.GetInt32(0), reader.GetFieldValue<DateTime>(1))
            : new SuspectNote(true, past.Lost, default);
    }

    /// <summary>
    /// Deaths of processes that ran nothing else, the last run included; whether that run is still marked, its host,
    /// and how long ago the row was written.
    /// </summary>
    public async Task<(int Deaths, bool IsMarked, string Host, TimeSpan Age)> LookAsync(
        StepRun run,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(Look, run.MessageId, run.Step);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetInt32(0), reader.GetBoolean(1), reader.GetString(2), reader.GetFieldValue<TimeSpan>(3))
            : default;
    }

    /// <summary>Counts the run that was found marked, and marks the next one, or none.</summary>
    /// <returns>The time of the mark; null when the lease is another process's by now, and nothing was written.</returns>
    public async Task<DateTime?> MarkAsync(
        StepRun run,
        DeliveryPast past,
        RowLease lease,
        bool isRunning,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(Mark, run.MessageId, run.Step);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = past.Generation });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = (int)past.Lost });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = isRunning });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Environment.MachineName });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lease.Name });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = lease.Holder });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? reader.GetFieldValue<DateTime>(0) : null;
    }

    /// <summary>The run has come to an end of its own. False when the mark is another run's by now.</summary>
    public Task<bool> RemoveAsync(StepRun run, DateTime mark, CancellationToken cancellationToken) =>
        ExecuteAsync(Remove, run.MessageId, run.Step, mark, cancellationToken);

    /// <summary>The message comes again, without an attempt. False when the mark is another run's by now.</summary>
    public Task<bool> PutOffAsync(StepRun run, DateTime mark, CancellationToken cancellationToken) =>
        ExecuteAsync(PutOff, run.MessageId, run.Step, mark, cancellationToken);

    /// <summary>A run that was counted as a death has ended.</summary>
    public Task NotDeadAsync(StepRun run, CancellationToken cancellationToken) =>
        ExecuteAsync(NotDead, run.MessageId, run.Step, null, cancellationToken);

    /// <summary>The message is in <c>_error</c>: from now on its copies are dropped.</summary>
    public Task DeadLetteredAsync(Guid messageId, string step, CancellationToken cancellationToken) =>
        ExecuteAsync(DeadLettered, messageId, step, null, cancellationToken);

    private static void AddKey(NpgsqlParameterCollection parameters, Guid messageId, string step)
    {
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = messageId });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = step });
    }

    private NpgsqlCommand Command(string sql, Guid messageId, string step)
    {
        var command = database.CreateCommand(sql);
        AddKey(command.Parameters, messageId, step);
        return command;
    }

    private async Task<bool> ExecuteAsync(
        string sql,
        Guid messageId,
        string step,
        DateTime? mark,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(sql, messageId, step);
        if (mark is { } at)
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = at });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
