using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace QueueWorkers.Redrive;

/// <summary>Makes, starts, stops and shows redrives. The sending is <see cref="RedriveRunner"/>'s.</summary>
public sealed class Redrives(NpgsqlDataSource database, ISubjectDirectory subjects)
{
    // Who creates redrives does it one after the other: two that choose the same messages would otherwise wait for each
    // other's rows.
    // Waits its turn for longer than other locks are waited for, and for less than a command may take: a hundred that
    // ask at once are all told who was first.
    private const string Alone =
        "set local lock_timeout = '14s'; select pg_advisory_xact_lock(x'4f72646572730003'::bigint)";

    private const string Columns =
        "r.id, r.stage, r.created_by, r.created_at, r.reason, r.filter, r.patch, r.canary, r.rate_per_second, r.stop_percent, r.total, r.stopped_at, r.stopped_because, r.moved_at, r.finished_at, r.resumed_at";

    private static readonly string Counts = $"""
        select count(*) filter (where state = {RedriveItemState.Waiting:D})::integer as waiting,
            count(*) filter (where state = {RedriveItemState.Sent:D})::integer as sent,
            count(*) filter (where state = {RedriveItemState.Done:D})::integer as done,
            count(*) filter (where state = {RedriveItemState.FailedAgain:D})::integer as failed,
                count(*) filter (where state = {RedriveItemState.Skipped:D})::integer as skipped from redrive_items i
                where i.redrive_id = r.id
        """;

    /// <summary>Makes a redrive of all that match and are dead-lettered.</summary>
    /// <returns>The redrive, or why there is none.</returns>
    /// <exception cref="InvalidFilterException">The filter cannot be used.</exception>
    public async Task<(RedriveProgress? Made, RedriveRefusal? Refused)> CreateAsync(
        RedriveRequest request,
        AuditEntry record,
        string? payload,
        CancellationToken cancellationToken
    )
    {
        var condition = await FilterSql.OfAsync(
            request.Filter with
            {
                State = FailureState.Failed,
            },
            subjects,
            cancellationToken
        );
        var id = DatabaseClock.NewId();
        Failpoint.Hit("redrive.before_create", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await ExecuteAsync(connection, Alone, cancellationToken);
        }
        catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Nothing was made, and whoever is ahead is most likely about the same messages.
            return (
                null,
                new RedriveRefusal(
                    "busy",
                    "Another redrive is being made right now; look at the redrives, then ask again.",
                    null
                )
            );
        }

        if (await OutstandingAsync(connection, request.Filter, cancellationToken) is { } other)
            return (
                null,
                new RedriveRefusal(
                    "outstanding",
                    $"Redrive {other} already has messages of this filter; wait for it, or cancel it.",
                    other
                )
            );

        await InsertAsync(connection, id, request, record.Who, cancellationToken);
        await using (
            var items = condition.Command(
                connection,
                $"""
                insert into redrive_items (redrive_id, failure_id, state, payload)
                select ${condition.Next}, f.id, 1, ${condition.Next
                    + 1} from failures f where {condition.Condition} order by f.id limit {RedriveRequest.MostMessages
                    + 1}
                """,
                id,
                new NpgsqlParameter { Value = (object?)payload ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb }
            )
        )
        {
            Failpoint.Hit("redrive.before_choose", Outside.Database);
            var total = await items.ExecuteNonQueryAsync(cancellationToken);
            Failpoint.Hit("redrive.after_choose", Outside.Database);
            var refusal =
                total == 0 ? new RedriveRefusal("empty", "Nothing that is dead-lettered matches.")
                : total > RedriveRequest.MostMessages
                    ? new RedriveRefusal(
                        "too-many",
                        $"More than {RedriveRequest.MostMessages} messages match; narrow the filter."
                    )
                : request.Expect is { } expected && expected != total
                    ? new RedriveRefusal("count-changed", $"{total} messages match now, not {expected}; look again.")
                : null;
            if (refusal is not null)
                return (null, refusal);
            await ExecuteAsync(
                connection,
                "update redrives set total = $2 where id = $1",
                cancellationToken,
                id,
                total
            );
            await ExecuteAsync(
                connection,
                "update failures f set redrive_id = $1 from redrive_items i where i.redrive_id = $1 and f.id = i.failure_id",
                cancellationToken,
                id
            );
            await AuditLog.WriteAsync(
                connection,
                With(record, $"redrive {id}", JsonSerializer.Serialize(request.Filter, FilterJson.Options), total),
                cancellationToken
            );
        }

        Failpoint.Hit("redrive.before_commit_create", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("redrive.after_commit_create", Outside.Database);
        // Given back before the next one is asked for: many who hold one and wait for a second would wait for one
        // another.
        await connection.CloseAsync();
        return (await FindAsync(id, cancellationToken), null);
    }

    /// <summary>Starts a redrive that waits in its dry run, or lets a stopped one go on.</summary>
    public Task<RedriveRefusal?> StartAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            $"""
            update redrives r set stage = case when r.stage = {RedriveStage.DryRun:D} then case when r.canary > 0
                then {RedriveStage.Canary:D} else {RedriveStage.Ramp:D} end else r.stage end, stopped_at = null,
                stopped_because = null, moved_at = now(),
                resumed_at = case when r.stage = {RedriveStage.DryRun:D} then null else now() end
            where r.id = $1 and (r.stage = {RedriveStage.DryRun:D}
                or r.stage in ({RedriveStage.Canary:D}, {RedriveStage.Ramp:D}) and r.stopped_at is not null)
            """,
            "It is not waiting to be started: it is under way or done.",
            cancellationToken
        );

    /// <summary>Stops a redrive: what is sent is sent, the rest waits.</summary>
    public Task<RedriveRefusal?> StopAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            $"update redrives r set stopped_at = now(), stopped_because = $2 where r.id = $1 and r.stage in ({RedriveStage.Canary:D}, {RedriveStage.Ramp:D}) and r.stopped_at is null",
            "It is not under way.",
            cancellationToken,
            $"Stopped by {record.Who}: {record.Reason}"
        );

    /// <summary>
    /// Ends a redrive: what was not sent is free again. It is done when it is known what came of the rest.
    /// </summary>
    public Task<RedriveRefusal?> CancelAsync(Guid id, AuditEntry record, CancellationToken cancellationToken) =>
        ChangeAsync(
            id,
            record,
            $"""
            with open as (select r.id from redrives r where r.id = $1 and r.stage <> {RedriveStage.Done:D} for update),
                skipped as (update redrive_items i set state = {RedriveItemState.Skipped:D}, settled_at = now(),
                    note = $2 from open where i.redrive_id = open.id and i.state = {RedriveItemState.Waiting:D})
            update redrives r set stage = greatest(r.stage, 3::smallint), stopped_at = now(), stopped_because = $2
                from open where r.id = open.id
            """,
            "It is done.",
            cancellationToken,
            $"Cancelled by {record.Who}: {record.Reason}"
        );

    /// <summary>A redrive; null when there is none.</summary>
    public async Task<RedriveProgress?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await ReadAsync("r.id = $1", id, cancellationToken) is [var found, ..] ? found : null;

    /// <summary>Redrives, the newest first.</summary>
    public Task<IReadOnlyList<RedriveProgress>> ListAsync(Guid? before, CancellationToken cancellationToken) =>
        ReadAsync("r.id < $1", before ?? new Guid("ffffffff-ffff-ffff-ffff-ffffffffffff"), cancellationToken);

    /// <summary>The messages of a redrive in one state.</summary>
    public async Task<IReadOnlyList<RedriveItem>> ItemsAsync(
        Guid id,
        RedriveItemState state,
        Guid? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            select failure_id, generation, sent_at, settled_at, note from redrive_items
                where redrive_id = $1 and state = $2 and failure_id > $3 order by failure_id limit $4
            """
        );
        foreach (var value in new object[] { id, (short)state, after ?? Guid.Empty, limit })
            command.Parameters.Add(new() { Value = value });
        var items = new List<RedriveItem>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(
                new RedriveItem
                {
                    RedriveId = id,
                    State = state,
                    FailureId = reader.GetGuid(0),
                    Generation = reader.IsDBNull(1) ? null : reader.GetInt32(1),
                    SentAt = reader.IsDBNull(2) ? null : reader.GetFieldValue<DateTimeOffset>(2),
                    SettledAt = reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3),
                    Note = reader.IsDBNull(4) ? null : reader.GetString(4),
                }
            );
        }

        return items;
    }

    // Matching messages that another redrive has: also ones it has sent already, whose failure is not Dead-lettered any
    // more.
    private async Task<Guid?> OutstandingAsync(
        NpgsqlConnection connection,
        FailureFilter filter,
        CancellationToken cancellationToken
    )
    {
        foreach (var state in new[] { FailureState.Failed, FailureState.Redriving })
        {
            var condition = await FilterSql.OfAsync(filter with { State = state }, subjects, cancellationToken);
            await using var command = condition.Command(
                connection,
                $"select i.redrive_id from redrive_items i join failures f on f.id = i.failure_id where i.state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D}) and {condition.Condition} limit 1"
            );
            Failpoint.Hit("redrive.before_look_for_outstanding", Outside.Database);
            if (await command.ExecuteScalarAsync(cancellationToken) is Guid other)
                return other;
        }

        return null;
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection,
        Guid id,
        RedriveRequest request,
        string who,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into redrives (id, stage, created_by, reason, filter, patch, canary, rate_per_second, stop_percent,
                total, moved_at)
            values ($1, case when not $9 then {RedriveStage.DryRun:D} when $6 > 0 then {RedriveStage.Canary:D}
                else {RedriveStage.Ramp:D} end, $2, $3, $4, $5, $6, $7, $8, 0, now())
            """,
            connection
        );
        var p = command.Parameters;
        p.Add(new() { Value = id });
        p.Add(new() { Value = who });
        p.Add(new() { Value = request.Reason });
        p.Add(
            new()
            {
                Value = JsonSerializer.Serialize(request.Filter, FilterJson.Options),
                NpgsqlDbType = NpgsqlDbType.Jsonb,
            }
        );
        p.Add(
            new() { Value = (object?)request.Patch?.ToJsonString() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb }
        );
        p.Add(new() { Value = request.Canary });
        p.Add(new() { Value = request.RatePerSecond });
        p.Add(new() { Value = request.StopPercent });
        p.Add(new() { Value = request.Start });
        Failpoint.Hit("redrive.before_insert", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_insert", Outside.Database);
    }

    private async Task<RedriveRefusal?> ChangeAsync(
        Guid id,
        AuditEntry record,
        string sql,
        string otherwise,
        CancellationToken cancellationToken,
        params object[] more
    )
    {
        Failpoint.Hit("redrive.before_change", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await ExecuteAsync(connection, sql, cancellationToken, [id, .. more]) == 0)
            return new RedriveRefusal("not-open", otherwise);
        await AuditLog.WriteAsync(
            connection,
            With(record, $"redrive {id}", record.Filter, record.Count),
            cancellationToken
        );
        Failpoint.Hit("redrive.before_commit_change", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("redrive.after_commit_change", Outside.Database);
        return null;
    }

    private async Task<IReadOnlyList<RedriveProgress>> ReadAsync(
        string where,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"select {Columns}, c.* from (select * from redrives r where {where} order by r.id desc limit 100) r cross join lateral ({Counts}) c order by r.id desc"
        );
        command.Parameters.Add(new() { Value = id });
        var redrives = new List<RedriveProgress>();
        Failpoint.Hit("redrive.before_read_progress", Outside.Database);
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
            redrives.Add(
                new RedriveProgress(
                    RecordOf(r),
                    r.GetInt32(16),
                    r.GetInt32(17),
                    r.GetInt32(18),
                    r.GetInt32(19),
                    r.GetInt32(20)
                )
            );
        return redrives;
    }

    private static RedriveRecord RecordOf(NpgsqlDataReader r) =>
        new()
        {
            Id = r.GetGuid(0),
            Stage = (RedriveStage)r.GetInt16(1),
            CreatedBy = r.GetString(2),
            CreatedAt = r.GetFieldValue<DateTimeOffset>(3),
            Reason = r.GetString(4),
            Filter = r.GetString(5),
            Patch = r.IsDBNull(6) ? null : r.GetString(6),
            Canary = r.GetInt32(7),
            RatePerSecond = r.GetInt32(8),
            StopPercent = r.GetInt32(9),
            Total = r.GetInt32(10),
            StoppedAt = r.IsDBNull(11) ? null : r.GetFieldValue<DateTimeOffset>(11),
            StoppedBecause = r.IsDBNull(12) ? null : r.GetString(12),
            MovedAt = r.IsDBNull(13) ? null : r.GetFieldValue<DateTimeOffset>(13),
            FinishedAt = r.IsDBNull(14) ? null : r.GetFieldValue<DateTimeOffset>(14),
            ResumedAt = r.IsDBNull(15) ? null : r.GetFieldValue<DateTimeOffset>(15),
        };

    private static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params object[] values
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("redrive.before_write", Outside.Database);
        var rows = await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("redrive.after_write", Outside.Database);
        return rows;
    }

    private static AuditEntry With(AuditEntry record, string target, string? filter, long? count) =>
        new()
        {
            Who = record.Who,
            Role = record.Role,
            Action = record.Action,
            Target = target,
            Filter = filter,
            Count = count,
            Reason = record.Reason,
            Result = record.Result,
        };
}
