using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators;

namespace QueueWorkers.Redrive;

/// <summary>
/// Makes, starts, stops and cancels redrives. <see cref="RedriveRunner"/> sends, <see cref="RedriveReader"/> reads.
/// </summary>
public sealed class Redrives(NpgsqlDataSource database, ISubjectDirectory subjects, RedriveReader reader) : IDisposable
{
    // Who creates redrives does it one after the other: two that choose the same messages would otherwise wait for each
    // other's rows.
    // Waits its turn for longer than other locks are waited for, and for less than a command may take: a hundred that
    // ask at once are all told who was first.
    private const string Alone =
        "set local lock_timeout = '14s'; select pg_advisory_xact_lock(x'4f72646572730003'::bigint)";

    // The same within this process, without a connection: a hundred that ask at once would otherwise hold all that the
    // process has, and whoever wants one for anything else would be told that the database is away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Nothing was made, and whoever is ahead is most likely about the same messages.
    private static readonly RedriveRefusal Busy = new(
        "busy",
        "Another redrive is being made right now; look at the redrives, then ask again."
    );

    private readonly SemaphoreSlim _turn = new(1, 1);

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
        if (!await _turn.WaitAsync(Patience, cancellationToken))
            return (null, Busy);
        try
        {
            return await CreateAloneAsync(request, record, payload, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _turn.Dispose();

    private async Task<(RedriveProgress? Made, RedriveRefusal? Refused)> CreateAloneAsync(
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
            return (null, Busy);
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
                """
                update failures f set redrive_id = $1 from (select d.id from redrive_items i
                    join failures d on d.id = i.failure_id where i.redrive_id = $1 order by d.id for no key update of d) l
                where f.id = l.id
                """,
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
        return (await reader.FindAsync(id, cancellationToken), null);
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
        p.Add(new() { Value = PersonalText.Of(request.Reason) });
        p.Add(
            new()
            {
                // Everybody may read it, for as long as the redrive is kept.
                Value = PersonalText.OfJson(JsonSerializer.Serialize(request.Filter, FilterJson.Options)),
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
