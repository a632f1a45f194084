using System.Data;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>The statements of <see cref="ChangeableSchedules"/>.</summary>
internal static class ChangeQueries
{
    private const string Kinds = """
        select name, about, message, fields::text as fields, smallest_interval, most from schedule_kinds
        where active order by name
        """;

    private const string Lock = """
        select kind, cron, time_zone, misfire, payload::text as payload, active, paused, next_due_at, revision,
            clock_timestamp() as read_at
        from schedules where name = $1 and kind is not null for update
        """;

    private const string Insert = """
        insert into schedules (name, kind, cron, time_zone, misfire, payload, customised, active, paused, next_due_at,
            misfires)
        values ($1, $2, $3, $4, $5, $6, true, true, false, $7, 0)
        on conflict (name) do nothing returning revision
        """;

    private const string Update = """
        update schedules set cron = $2, time_zone = $3, misfire = $4, payload = $5, next_due_at = $6,
            misfires = misfires + $7, active = true, unusable_because = null, revision = gen_random_uuid()
        where name = $1 returning revision
        """;

    private static readonly string Fire = $"""
        insert into schedule_runs (schedule, due_at, status, attempts)
        select $1, due_at, {FiringStatus.Waiting:D}, 0 from unnest($2::timestamptz[]) as t(due_at)
            on conflict do nothing
        """;

    private static readonly string Delete = $"""
        with forgotten as (delete from schedule_runs where schedule = $1 and status = {FiringStatus.Waiting:D})
        delete from schedules where name = $1
        """;

    /// <summary>Kinds of the deployed version.</summary>
    public static async Task<IReadOnlyList<ScheduleKind>> KindsAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Kinds, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var kinds = new List<ScheduleKind>();
        while (await reader.ReadAsync(cancellationToken))
            kinds.Add(ScheduleKindRow.Read(reader));
        return kinds;
    }

    /// <summary>How many schedules of a kind there are; who asks next waits for the end of the transaction.</summary>
    public static async Task<long> CountAsync(
        NpgsqlConnection connection,
        string kind,
        CancellationToken cancellationToken
    )
    {
        // Two statements: the second one's snapshot is taken under the lock of the first.
        await using (
            var wait = new NpgsqlCommand("select pg_advisory_xact_lock(hashtext('schedule kind ' || $1))", connection)
        )
        {
            wait.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
            await wait.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new NpgsqlCommand("select count(*) from schedules where kind = $1", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// A schedule that operators have created, locked against firing and other changes; null when there is none.
    /// </summary>
    public static async Task<PresentSchedule?> LockAsync(
        NpgsqlConnection connection,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Lock, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new PresentSchedule(
                reader.GetString("kind"),
                new ScheduleDraft(
                    reader.GetString("cron"),
                    reader.GetString("time_zone"),
                    (Misfire)reader.GetInt16("misfire"),
                    JsonNode.Parse(reader.OptionalText("payload") ?? "{}") as JsonObject
                ),
                reader.GetBoolean("active"),
                reader.GetBoolean("paused"),
                reader.Optional<DateTimeOffset>("next_due_at"),
                reader.GetGuid("revision"),
                reader.GetFieldValue<DateTimeOffset>("read_at")
            )
            : null;
    }

    /// <summary>Writes a new schedule; null when its name is taken.</summary>
    public static async Task<Guid?> InsertAsync(
        NpgsqlConnection connection,
        string name,
        string kind,
        ScheduleDraft draft,
        CronText cron,
        SchedulePayload payload,
        CancellationToken cancellationToken
    )
    {
        DateTimeOffset now;
        await using (var clock = new NpgsqlCommand("select clock_timestamp()", connection))
            now = new DateTimeOffset((DateTime)(await clock.ExecuteScalarAsync(cancellationToken))!);
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
        AddTo(command.Parameters, draft, payload, cron.After(now));
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    /// <summary>Writes what has changed of a locked schedule.</summary>
    public static async Task<Guid> UpdateAsync(
        NpgsqlConnection connection,
        string name,
        ScheduleDraft draft,
        SchedulePayload payload,
        DateTimeOffset? next,
        int leftOut,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Update, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        AddTo(command.Parameters, draft, payload, next);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = leftOut });
        return (Guid)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Writes firings of a locked schedule, for a worker to make their messages.</summary>
    public static async Task FireAsync(
        NpgsqlConnection connection,
        string name,
        IReadOnlyList<DateTimeOffset> due,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Fire, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. due],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Deletes a locked schedule and its firings that nobody has begun.</summary>
    public static async Task DeleteAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Delete, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddTo(
        NpgsqlParameterCollection parameters,
        ScheduleDraft draft,
        SchedulePayload payload,
        DateTimeOffset? next
    )
    {
        parameters.Add(new NpgsqlParameter<string> { TypedValue = draft.Cron });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = draft.TimeZone });
        parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)draft.Misfire });
        parameters.Add(
            new NpgsqlParameter<string> { TypedValue = payload.ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb }
        );
        parameters.Add(new() { Value = next is { } due ? due : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
    }
}

/// <summary>A schedule that an operator has created, locked by whoever changes it.</summary>
internal sealed record PresentSchedule(
    string Kind,
    ScheduleDraft Draft,
    bool IsActive,
    bool IsPaused,
    DateTimeOffset? NextDueAt,
    Guid Revision,
    DateTimeOffset ReadAt
);
