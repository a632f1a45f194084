using System.Data;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>
/// What an operator does with schedules. Works from any process: the rows tell those that fire. Each action is
/// committed together with its audit record, or not at all.
/// </summary>
public sealed class ScheduleControl(NpgsqlDataSource database)
{
    private const int MostRuns = 1000;

    private static readonly string List = $"""
        select s.name, s.cron, time_zone, misfire, s.active, paused, customised, case when s.active
            and not paused and (kind is null or k.active) then next_due_at end as next_due_at, misfires,
               last_due_at, last_status, last_finished_at, last_duration, last_result, kind, payload::text as payload,
               revision, exists (select from schedule_runs r where r.schedule = s.name
                   and r.status < {FiringStatus.Done:D}) as is_due, {UnusableSchedule.Columns}
        from schedules s left join schedule_kinds k on k.name = s.kind
        where $1::text is null or s.name = $1 order by s.name
        """;

    private const string Runs = """
        select due_at, status, requested_by, attempts, host, started_at, finished_at, finished_at - started_at as duration, result
        from schedule_runs where schedule = $1 and ($2::timestamptz is null or due_at < $2) order by due_at desc
            limit $3
        """;

    // The moment of asking is the firing's key: two who ask in the same microsecond get one firing. The lock keeps the
    // schedule from being deleted meanwhile, with its waiting firings.
    private const string RunNow = """
        insert into schedule_runs (schedule, due_at, status, attempts, requested_by)
        select name, clock_timestamp(), 0, 0, $2 from schedules where name = $1 and active for key share
            on conflict do nothing returning due_at
        """;

    private const string Pause = "update schedules set paused = true where name = $1 and not paused";

    private const string Change = """
        update schedules set cron = $2, time_zone = $3, misfire = $4, next_due_at = $5, customised = true,
            revision = gen_random_uuid() where name = $1 and active and kind is null
        """;

    /// <summary>All schedules.</summary>
    public Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellationToken) =>
        ListAsync(null, cancellationToken);

    /// <summary>One schedule; null when there is none of this name.</summary>
    public async Task<ScheduleView?> FindAsync(string name, CancellationToken cancellationToken) =>
        (await ListAsync(name, cancellationToken)).SingleOrDefault();

    private async Task<IReadOnlyList<ScheduleView>> ListAsync(string? name, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(List);
        command.Parameters.Add(new() { Value = (object?)name ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<ScheduleView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var last = reader.IsDBNull("last_due_at")
                ? null
                : new FiringView(
                    reader.GetFieldValue<DateTimeOffset>("last_due_at"),
                    (FiringStatus)reader.GetInt16("last_status"),
                    null,
                    1,
                    null,
                    null,
                    reader.Optional<DateTimeOffset>("last_finished_at"),
                    reader.Optional<TimeSpan>("last_duration"),
                    reader.GetString("last_result")
                );
            all.Add(
                new ScheduleView(
                    reader.GetString("name"),
                    reader.GetString("cron"),
                    reader.GetString("time_zone"),
                    (Misfire)reader.GetInt16("misfire"),
                    reader.GetBoolean("active"),
                    reader.GetBoolean("paused"),
                    reader.GetBoolean("customised"),
                    reader.Optional<DateTimeOffset>("next_due_at"),
                    last,
                    reader.GetInt64("misfires"),
                    reader.GetBoolean("is_due"),
                    reader.OptionalText("kind"),
                    UnusableSchedule.Of(reader)?.Reason,
                    reader.GetGuid("revision"),
                    reader.OptionalText("payload") is { } payload ? JsonNode.Parse(payload) as JsonObject : null
                )
            );
        }

        return all;
    }

    /// <summary>Firings of a schedule, the newest first.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="before">Only those due before; null for the newest.</param>
    /// <param name="limit">How many, 1–1000.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<FiringView>> RunsAsync(
        string schedule,
        DateTimeOffset? before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Runs);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule });
        command.Parameters.Add(
            new()
            {
                Value = before is { } moment ? moment.ToUniversalTime() : DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Math.Clamp(limit, 1, MostRuns) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var runs = new List<FiringView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            runs.Add(
                new FiringView(
                    reader.GetFieldValue<DateTimeOffset>("due_at"),
                    (FiringStatus)reader.GetInt16("status"),
                    reader.OptionalText("requested_by"),
                    reader.GetInt32("attempts"),
                    reader.OptionalText("host"),
                    reader.Optional<DateTimeOffset>("started_at"),
                    reader.Optional<DateTimeOffset>("finished_at"),
                    reader.Optional<TimeSpan>("duration"),
                    reader.OptionalText("result")
                )
            );
        }

        return runs;
    }

    /// <summary>Asks for a firing now, also of a paused schedule; the clock's own firings stay as they are.</summary>
    /// <returns>The moment that is the firing's key; null when there is no such schedule.</returns>
    public async Task<DateTimeOffset?> RunNowAsync(
        string schedule,
        AuditEntry audit,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(RunNow, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = audit.Who });
        if (await command.ExecuteScalarAsync(cancellationToken) is not DateTime at)
            return null;
        await CommitAsync(connection, transaction, audit, cancellationToken);
        return new DateTimeOffset(at);
    }

    /// <summary>Stops a schedule; a firing that is being worked on goes on.</summary>
    /// <returns>False when there is no such schedule, or it is paused already.</returns>
    public Task<bool> PauseAsync(string schedule, AuditEntry audit, CancellationToken cancellationToken) =>
        UpdateAsync(Pause, audit, cancellationToken, new NpgsqlParameter<string> { TypedValue = schedule });

    /// <summary>
    /// Lets a schedule go on with its next regular moment: what would have been due during the pause was not missed, it
    /// was not wanted.
    /// </summary>
    /// <returns>False when there is no such schedule, or it is not paused.</returns>
    /// <exception cref="FormatException">Its cron text or zone cannot be used on this machine.</exception>
    public async Task<bool> ResumeAsync(string schedule, AuditEntry audit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        CronText cron;
        DateTimeOffset now;
        await using (
            var find = new NpgsqlCommand(
                "select cron, time_zone, clock_timestamp() from schedules where name = $1 and paused for update",
                connection
            )
        )
        {
            find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule });
            await using var reader = await find.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return false;
            (cron, now) = (
                CronText.Parse(reader.GetString(0), reader.GetString(1)),
                reader.GetFieldValue<DateTimeOffset>(2)
            );
        }

        await using (
            var resume = new NpgsqlCommand(
                "update schedules set paused = false, next_due_at = $2 where name = $1",
                connection
            )
        )
        {
            resume.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule });
            resume.Parameters.Add(NextDue(cron, now));
            await resume.ExecuteNonQueryAsync(cancellationToken);
        }

        await CommitAsync(connection, transaction, audit, cancellationToken);
        return true;
    }

    /// <summary>Changes when a schedule fires; from now on deployments leave it alone.</summary>
    /// <returns>False when there is no such schedule.</returns>
    /// <exception cref="FormatException">Cron text or zone cannot be used.</exception>
    public Task<bool> ChangeAsync(
        string schedule,
        string cron,
        string timeZone,
        Misfire misfire,
        AuditEntry audit,
        CancellationToken cancellationToken
    )
    {
        var parsed = CronText.Parse(cron, timeZone);
        return UpdateAsync(
            Change,
            audit,
            cancellationToken,
            new NpgsqlParameter<string> { TypedValue = schedule },
            new NpgsqlParameter<string> { TypedValue = cron },
            new NpgsqlParameter<string> { TypedValue = timeZone },
            new NpgsqlParameter<short> { TypedValue = (short)misfire },
            NextDue(parsed, DatabaseClock.UtcNow)
        );
    }

    private async Task<bool> UpdateAsync(
        string sql,
        AuditEntry audit,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            return false;
        await CommitAsync(connection, transaction, audit, cancellationToken);
        return true;
    }

    private static async Task CommitAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        AuditEntry audit,
        CancellationToken cancellationToken
    )
    {
        await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static NpgsqlParameter NextDue(CronText cron, DateTimeOffset after) =>
        new() { Value = cron.After(after) is { } next ? next : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
