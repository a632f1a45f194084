using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Redrive.Payloads;
using QueueWorkers.Steps;

namespace QueueWorkers.Redrive;

/// <summary>
/// Sends messages of a redrive again. For each batch, in one transaction: items and failures are marked as sent, and
/// the rewritten messages are written into the outbox. Dying before its end sends nothing, dying after it sends once,
/// by whichever relay. The copies in the queues are taken out afterwards by <see cref="FailureReconciler"/>, for which
/// the failure's state is enough.
/// </summary>
public sealed class RedriveMover(
    RelayFeed relay,
    ISubjectDirectory subjects,
    PayloadContract contract,
    PayloadEdits edits
)
{
    // Of bodies in one batch; one message may exceed it. The rest follows with the next batch.
    private const long MostBytes = 16 * 1024 * 1024;

    // What was done before is not sent again, though it would do no harm: it would cost a run.
    private static readonly string Take = $"""
        select f.id, f.kind, f.queue, f.identity, f.generation, f.message_id, f.step, f.message_type, f.subject_id,
            f.payload, f.body, f.headers, f.priority, f.state, i.payload as edited,
            {RedriveBlocker.Columns}
        from redrive_items i join failures f on f.id = i.failure_id
        where i.redrive_id = $1 and i.state = {RedriveItemState.Waiting:D} and i.failure_id = any(array(
            select failure_id from (
                select n.failure_id,
                    sum(octet_length(b.body)) over (order by n.failure_id) - octet_length(b.body) as before
                from (select failure_id from redrive_items where redrive_id = $1
                    and state = {RedriveItemState.Waiting:D} order by failure_id limit $2) n
                    join failures b on b.id = n.failure_id) w
            where before < $3))
        order by i.failure_id for no key update of i, f
        """;

    private static readonly string Send = $"""
        with sent as (
            update redrive_items i set state = {RedriveItemState.Sent:D}, sent_at = now(), generation = t.generation
                from unnest($2::uuid[], $3::integer[], $4::text[]) as t(failure_id, generation, edit)
            where i.redrive_id = $1 and i.failure_id = t.failure_id returning i.failure_id, t.edit)
        update failures f set state = {FailureState.Redriving:D}, redrive_id = $1, note = null,
            edit = coalesce(sent.edit::jsonb, f.edit) from sent where f.id = sent.failure_id
        """;

    private static readonly string Skip = $"""
        with skipped as (
            update redrive_items i set state = {RedriveItemState.Skipped:D}, settled_at = now(), note = t.note
                from unnest($2::uuid[], $3::text[], $4::boolean[]) as t(failure_id, note, done)
            where i.redrive_id = $1 and i.failure_id = t.failure_id returning i.failure_id, t.note, t.done)
        update failures f set state = {FailureState.Redriven:D}, closed_at = now(), note = skipped.note from skipped
            where f.id = skipped.failure_id and skipped.done and f.state = {FailureState.Failed:D}
        """;

    // In place, edited or not: a second row beside a quarantined one would leave that one to be redriven once more.
    private const string Release = """
        update outbox o set dead_at = null, attempts = 0, last_error = null, due_at = clock_timestamp(),
            body = coalesce(t.body, o.body)
        from unnest($1::uuid[], $2::bytea[]) as t(id, body) where o.id = t.id and o.dead_at is not null
        """;

    // A step that was dead-lettered is on its way again: the step says so while it runs, unless another message of it
    // still stands in the dead-letter queue. What was put away, or has gone, may be the step's own: it stays
    // failed then.
    private static readonly string Restart = $"""
        update step_runs s set status = {StepStatus.Retrying:D}, next_attempt_at = now(), finished_at = null,
            own_status = case when s.own_status in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})
                and not exists (select from failures f where f.subject_id = s.subject_id and f.step = s.step
                    and f.state in ({FailureState.Archived:D}, {FailureState.Gone:D}))
                then {StepStatus.Retrying:D} else s.own_status end
            from unnest($1::uuid[], $2::text[]) as t(subject_id, step)
        where s.subject_id = t.subject_id and s.step = t.step
            and s.status in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})
            and not {DeadLetteredSteps.Standing("s.subject_id", "s.step")}
        """;

    /// <summary>Sends the next messages of a redrive whose row the caller has locked in this transaction.</summary>
    /// <returns>What to offer to the relay after the commit, and how many were sent.</returns>
    internal async Task<(IReadOnlyList<OutboxMessage> Outgoing, int Sent)> MoveAsync(
        NpgsqlConnection connection,
        Guid redrive,
        string? patch,
        int most,
        CancellationToken cancellationToken
    )
    {
        var taken = await TakeAsync(connection, redrive, most, cancellationToken);
        if (taken.Count == 0)
            return ([], 0);
        Failpoint.Hit("redrive.before_ask_for_reasons", Outside.Database);
        var reasons = await subjects.ReasonsNotToWorkOnAsync(
            [.. taken.Where(t => t.Failure.SubjectId is not null).Select(t => t.Failure.SubjectId!.Value).Distinct()],
            cancellationToken
        );
        var (outgoing, sent, skipped, released) = (
            new List<OutboxMessage>(),
            new List<(Failure Failure, string? Edit)>(),
            new List<(Guid Id, string Note, bool Done)>(),
            new List<(Guid Row, byte[]? Body)>()
        );
        foreach (var (failure, edited, blocker) in taken)
        {
            if (blocker.Reason(failure, reasons) is { } reason)
            {
                skipped.Add((failure.Id, reason, blocker.Done));
                continue;
            }

            if (failure.Kind == FailureKind.Quarantined && edited is null && patch is null)
            {
                released.Add((failure.Identity, null));
                sent.Add((failure, null));
                continue;
            }

            try
            {
                var payload = edited ?? (patch is null ? null : edits.Patch(failure, patch));
                if (contract.ProblemOf(failure.MessageType, payload ?? failure.Payload) is { } problem)
                    throw new InvalidPayloadException(problem);
                var message = RedriveEnvelope.Rewrite(failure, payload, failure.Generation + 1);
                if (failure.Kind == FailureKind.Quarantined)
                    released.Add((failure.Identity, message.Body));
                else
                    outgoing.Add(message);
                sent.Add((failure, payload is null ? null : PayloadDiff.Between(failure.Payload, payload)));
            }
            catch (InvalidPayloadException invalid)
            {
                skipped.Add((failure.Id, invalid.Message, false));
            }
        }

        await using var marks = new NpgsqlBatch(connection);
        Add(
            marks,
            Send,
            redrive,
            sent.Select(s => s.Failure.Id).ToArray(),
            sent.Select(s => s.Failure.Generation + 1).ToArray(),
            sent.Select(s => s.Edit).ToArray()
        );
        Add(
            marks,
            Skip,
            redrive,
            skipped.Select(s => s.Id).ToArray(),
            skipped.Select(s => s.Note).ToArray(),
            skipped.Select(s => s.Done).ToArray()
        );
        var steps = sent.Where(s => s.Failure is { SubjectId: not null, Step: not null }).ToArray();
        foreach (var sql in (string[])[DeadLetteredSteps.Lock, Restart])
            Add(
                marks,
                sql,
                steps.Select(s => s.Failure.SubjectId!.Value).ToArray(),
                steps.Select(s => s.Failure.Step!).ToArray()
            );
        if (released.Count > 0)
            Add(marks, Release, released.Select(r => r.Row).ToArray(), released.Select(r => r.Body).ToArray());
        Failpoint.Hit("redrive.before_mark_sent", Outside.Database);
        await marks.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_mark_sent", Outside.Database);
        await OutboxWriter.InsertAsync(connection, outgoing, cancellationToken);
        return (outgoing, sent.Count);
    }

    /// <summary>Hands what was committed to the relay of this process.</summary>
    internal void Offer(IReadOnlyList<OutboxMessage> outgoing)
    {
        foreach (var message in outgoing)
            relay.Offer(message);
    }

    private static async Task<List<(Failure Failure, string? Edited, RedriveBlocker Blocker)>> TakeAsync(
        NpgsqlConnection connection,
        Guid redrive,
        int most,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Take, connection);
        command.Parameters.Add(new() { Value = redrive });
        command.Parameters.Add(new() { Value = most });
        command.Parameters.Add(new() { Value = MostBytes });
        var taken = new List<(Failure, string?, RedriveBlocker)>();
        Failpoint.Hit("redrive.before_take", Outside.Database);
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
        {
            var failure = new Failure
            {
                Id = r.GetGuid("id"),
                Kind = (FailureKind)r.GetInt16("kind"),
                Queue = r.GetString("queue"),
                Identity = r.GetGuid("identity"),
                Generation = r.GetInt32("generation"),
                MessageId = r.GetGuid("message_id"),
                Step = r.OptionalText("step"),
                MessageType = r.OptionalText("message_type"),
                SubjectId = r.Optional<Guid>("subject_id"),
                Payload = r.OptionalText("payload"),
                Body = r.GetFieldValue<byte[]>("body"),
                Headers = r.GetString("headers"),
                Priority = r.Optional<short>("priority"),
                State = (FailureState)r.GetInt16("state"),
            };
            taken.Add((failure, r.OptionalText("edited"), RedriveBlocker.Read(r)));
        }

        return taken;
    }

    private static void Add(NpgsqlBatch batch, string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(
                value switch
                {
                    string?[] texts => new() { Value = texts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    byte[]?[] bodies => new()
                    {
                        Value = bodies,
                        NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
                    },
                    _ => new() { Value = value },
                }
            );
        }

        batch.BatchCommands.Add(command);
    }
}
