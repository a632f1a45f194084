using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;

namespace QueueWorkers.Redrive;

/// <summary>A redrive whose row is locked.</summary>
internal sealed record LockedRedrive(
    Guid Id,
    RedriveStage Stage,
    string? Patch,
    int Canary,
    int RatePerSecond,
    int StopPercent,
    bool Stopped,
    TimeSpan SinceMoved,
    TimeSpan Age,
    DateTimeOffset ResumedAt
);

/// <summary>What has come of a redrive's messages.</summary>
/// <param name="Waiting">Not sent yet.</param>
/// <param name="Sent">Sent, and nothing known of them yet.</param>
/// <param name="All">What came of the others.</param>
/// <param name="Lately">The same since an operator let it go on after a stop: that is what a next stop is judged by,
/// and whom a new canary counts.</param>
internal readonly record struct RedriveCounts(int Waiting, int Sent, RedriveOutcomes All, RedriveOutcomes Lately);

/// <summary>Messages of which it is known what came of them.</summary>
internal readonly record struct RedriveOutcomes(int Done, int FailedAgain, int Skipped)
{
    public int Settled => Done + FailedAgain + Skipped;

    public int Judged => Done + FailedAgain;
}

/// <summary>The statements of <see cref="RedriveRunner"/>.</summary>
internal static class RedriveSql
{
    // Failed again: the generation that was sent is in the index, or the broker rejected it, and no copy of it has done
    // the work (a relay may send it twice). Done: the work is in the idempotency table or its effect is there.
    // Many rows are locked in the order of their ids: the reconciler marks the same ones as taken out of their queue at
    // the same time, and two orders would be a deadlock (seen at 10,000 messages).
    // Done by somebody else: the step is done, and for long nothing has come of this message: its run was dropped as a
    // duplicate of another message's effect.
    private static readonly string Settle = $"""
        with sent as (
            select i.failure_id, i.generation, i.sent_at, f.kind, f.identity, f.message_id, f.step, f.subject_id
                from redrive_items i join failures f on f.id = i.failure_id
                where i.redrive_id = $1 and i.state = {RedriveItemState.Sent:D}),
        known as (
            select s.failure_id, s.step,
                case when s.kind = {FailureKind.Quarantined:D} then exists (select from outbox o
                    where o.id = s.identity and o.dead_at is not null)
                    else not {FailureTable.IsDone("s")} and (exists (select from failures n
                        where n.message_id = s.message_id and n.generation = s.generation and n.id <> s.failure_id)
                        or exists (select from outbox o where o.message_id = s.message_id and o.dead_at > s.sent_at))
                            end as failed,
                case when s.kind = {FailureKind.Quarantined:D} then not exists (select from outbox o
                    where o.id = s.identity)
                    else {FailureTable.IsDone("s")} or {FailureTable.IsRouted("s")}
                        or s.sent_at < now() - interval '20 seconds'
                            and exists (select from step_runs r where r.subject_id = s.subject_id and r.step = s.step
                            and r.status in ({StepStatus.Done:D}, {StepStatus.Skipped:D}, {StepStatus.Rejected:D},
                            {StepStatus.Expired:D}, {StepStatus.Cancelled:D}))
                            and not exists (select from outbox o where o.message_id = s.message_id) end as done
            from sent s),
        settled as (
            update redrive_items i set state = case when k.failed then {RedriveItemState.FailedAgain:D}
                else {RedriveItemState.Done:D} end, settled_at = now() from known k
            where i.redrive_id = $1 and i.failure_id = k.failure_id and (k.failed or k.done)
                returning i.failure_id, i.state),
        locked as (
            select f.id from failures f where f.id in (select failure_id from settled) order by f.id for no key update)
        update failures f set state = case when s.state = {RedriveItemState.FailedAgain:D}
            then {FailureState.FailedAgain:D} else {FailureState.Redriven:D} end, closed_at = now(),
            removed_at = case when f.queue = 'outbox' then now() else f.removed_at end,
            note = case when s.state = {RedriveItemState.FailedAgain:D} then 'It was redriven and failed again.'
                else 'It was redriven and its work is done.' end
        from settled s join locked l on l.id = s.failure_id where f.id = s.failure_id
        """;

    private static readonly string Count = $"""
        select count(*) filter (where state = {RedriveItemState.Waiting:D})::integer as waiting,
            count(*) filter (where state = {RedriveItemState.Sent:D})::integer as sent,
            count(*) filter (where state = {RedriveItemState.Done:D})::integer as done,
            count(*) filter (where state = {RedriveItemState.FailedAgain:D})::integer as failed_again,
            count(*) filter (where state = {RedriveItemState.Skipped:D})::integer as skipped,
            count(*) filter (where state = {RedriveItemState.Done:D} and settled_at > $2)::integer as lately_done,
            count(*) filter (where state = {RedriveItemState.FailedAgain:D} and settled_at > $2)::integer
                as lately_failed_again,
            count(*) filter (where state = {RedriveItemState.Skipped:D} and settled_at > $2)::integer as lately_skipped
        from redrive_items where redrive_id = $1
        """;

    public static async Task<IReadOnlyList<Guid>> OpenAsync(
        NpgsqlDataSource database,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"select id from redrives where stage <> {RedriveStage.Done:D} order by id"
        );
        var ids = new List<Guid>();
        Failpoint.Hit("redrive.before_read_open", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid("id"));
        return ids;
    }

    public static async Task<LockedRedrive?> LockAsync(
        NpgsqlConnection connection,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            $"""
            select id, stage, patch, canary, rate_per_second, stop_percent, stopped_at is not null as stopped,
                now() - coalesce(moved_at, created_at) as since_moved, now() - created_at as age,
                coalesce(resumed_at, created_at) as resumed_at
            from redrives where id = $1 and stage <> {RedriveStage.Done:D} for no key update skip locked
            """,
            id
        );
        Failpoint.Hit("redrive.before_lock", Outside.Database);
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        return await r.ReadAsync(cancellationToken)
            ? new LockedRedrive(
                r.GetGuid("id"),
                (RedriveStage)r.GetInt16("stage"),
                r.OptionalText("patch"),
                r.GetInt32("canary"),
                r.GetInt32("rate_per_second"),
                r.GetInt32("stop_percent"),
                r.GetBoolean("stopped"),
                r.GetFieldValue<TimeSpan>("since_moved"),
                r.GetFieldValue<TimeSpan>("age"),
                r.GetFieldValue<DateTimeOffset>("resumed_at")
            )
            : null;
    }

    public static async Task SettleAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Settle, id);
        Failpoint.Hit("redrive.before_settle", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_settle", Outside.Database);
    }

    public static async Task<RedriveCounts> CountAsync(
        NpgsqlConnection connection,
        LockedRedrive redrive,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(connection, Count, redrive.Id, redrive.ResumedAt);
        Failpoint.Hit("redrive.before_count", Outside.Database);
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        await r.ReadAsync(cancellationToken);
        return new RedriveCounts(
            r.GetInt32("waiting"),
            r.GetInt32("sent"),
            new(r.GetInt32("done"), r.GetInt32("failed_again"), r.GetInt32("skipped")),
            new(r.GetInt32("lately_done"), r.GetInt32("lately_failed_again"), r.GetInt32("lately_skipped"))
        );
    }

    public static async Task RampAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            $"update redrives set stage = {RedriveStage.Ramp:D} where id = $1 and stage < {RedriveStage.Ramp:D}",
            id
        );
        Failpoint.Hit("redrive.before_ramp", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_ramp", Outside.Database);
    }

    // As if each had been sent at its own moment: at three a second, two looks a second would otherwise send one each.
    // What was not sent for longer than a second is not made up for.
    public static async Task MovedAsync(
        NpgsqlConnection connection,
        Guid id,
        int sent,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            $"""
            update redrives set moved_at = case when stage = {RedriveStage.Canary:D} then now()
                else greatest(now() - interval '1 second', coalesce(moved_at, created_at)) + $2 * interval '1 second' /
                rate_per_second end where id = $1
            """,
            id,
            sent
        );
        Failpoint.Hit("redrive.before_note_pace", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_note_pace", Outside.Database);
    }

    public static async Task FinishAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            $"update redrives set stage = {RedriveStage.Done:D}, finished_at = now() where id = $1",
            id
        );
        Failpoint.Hit("redrive.before_finish", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_finish", Outside.Database);
    }

    public static async Task StopAsync(
        NpgsqlConnection connection,
        Guid id,
        string reason,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            "update redrives set stopped_at = now(), stopped_because = $2 where id = $1",
            id,
            reason
        );
        Failpoint.Hit("redrive.before_stop", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_stop", Outside.Database);
    }

    public static async Task CancelAsync(
        NpgsqlConnection connection,
        Guid id,
        string reason,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            $"""
            with skipped as (update redrive_items set state = {RedriveItemState.Skipped:D}, settled_at = now(),
                note = $2 where redrive_id = $1 and state = {RedriveItemState.Waiting:D})
            update redrives set stage = {RedriveStage.Done:D}, finished_at = now(), stopped_at = now(),
                stopped_because = $2 where id = $1
            """,
            id,
            reason
        );
        Failpoint.Hit("redrive.before_cancel", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_cancel", Outside.Database);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}
