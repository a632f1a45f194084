using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;

namespace QueueWorkers.Scheduling.Firings;

/// <summary>
/// The statements of <see cref="ScheduleRunner"/>. Time is the database's: replicas whose clocks differ agree on what is
/// due.
/// </summary>
internal static class ScheduleQueries
{
    // What a process can fire: see FireableSchedules, whose three parameters are the first ones.
    private const string Fireable = "active and not paused and (name = any($1) or kind = any($2)) and name <> all($3)";

    // A job's firing waits for a process that has the job, whatever its schedule looks like by now. Without its payload
    // no message can be made.
    private const string Mine = "(s.name = any($1) or (s.kind = any($2) and s.active and s.name <> all($3)))";

    // One look for everything: how long until the next firing of the schedules that can be fired here, and whether a
    // firing waits for somebody to work on it.
    private static readonly string Look = $"""
        select extract(epoch from (select min(next_due_at) from schedules where {Fireable})
               - clock_timestamp())::float8 as next_in,
               exists (select from schedule_runs r join schedules s on s.name = r.schedule where {Mine}
                   and (r.status = {FiringStatus.Waiting:D} or (r.status = {FiringStatus.Running:D}
                   and r.lease_until < clock_timestamp()))) as waiting
        """;

    private const string TakeDue = $"""
        select name, cron, time_zone, misfire, next_due_at, clock_timestamp() as read_at from schedules
        where {Fireable} and next_due_at <= clock_timestamp() order by next_due_at, name
            for no key update skip locked
        """;

    private const string Planned = $"""
        select name, cron, time_zone, misfire, next_due_at, clock_timestamp() as read_at from schedules
        where {Fireable}
        """;

    // Only as it was read: whoever has fired or changed it meanwhile knows better.
    private const string MoveBack = """
        update schedules set next_due_at = $3 where name = $1 and active and not paused
            and next_due_at is not distinct from $2 and cron = $4 and time_zone = $5
        """;

    private const string Fire = """
        with fired as (insert into schedule_runs (schedule, due_at, status, attempts) select $1, t, 0, 0
            from unnest($2::timestamptz[]) as t on conflict do nothing)
        update schedules set next_due_at = $3, misfires = misfires + $4 where name = $1
        """;

    // Locks the schedule too: who changes or deletes it waits until this firing is out, or comes first.
    private static readonly string TakeWaiting = $"""
        select r.schedule, r.due_at, s.kind, s.payload::text as payload
        from schedule_runs r join schedules s on s.name = r.schedule
        where r.status = {FiringStatus.Waiting:D} and {Mine}
            order by r.due_at limit 500 for no key update of r, s skip locked
        """;

    private static readonly string Publish = $"""
        with ended as (
            update schedule_runs r set status = {FiringStatus.Done:D}, attempts = 1, host = $4,
                started_at = clock_timestamp(), finished_at = clock_timestamp(), result = t.result
            from unnest($1::text[], $2::timestamptz[], $3::text[]) as t(schedule, due_at, result)
                where r.schedule = t.schedule and r.due_at = t.due_at
            returning r.schedule, r.due_at, r.result)
        update schedules s set last_due_at = e.due_at, last_finished_at = clock_timestamp(),
            last_status = {FiringStatus.Done:D}, last_result = e.result, last_duration = interval '0'
        from (select distinct on (schedule) * from ended order by schedule, due_at desc) e where s.name = e.schedule
        """;

    /// <summary>How long until the next firing (null: none is planned), and whether a firing waits.</summary>
    public static async Task<(TimeSpan? NextIn, bool Waiting)> LookAsync(
        NpgsqlDataSource database,
        FireableSchedules schedules,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Look);
        schedules.AddTo(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (
            reader.Optional<double>("next_in") is { } next ? TimeSpan.FromSeconds(Math.Clamp(next, 0, 3600)) : null,
            reader.GetBoolean("waiting")
        );
    }

    /// <summary>Locks the schedules that are due and that no other process has in hand.</summary>
    public static async Task<List<DueSchedule>> TakeDueAsync(
        NpgsqlConnection connection,
        FireableSchedules schedules,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(TakeDue, connection);
        schedules.AddTo(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var due = new List<DueSchedule>();
        while (await reader.ReadAsync(cancellationToken))
        {
            due.Add(ScheduleFrom(reader, reader.GetFieldValue<DateTimeOffset>("next_due_at")));
        }

        return due;
    }

    /// <summary>When the schedules are due next, as it stands; null for never.</summary>
    public static async Task<List<(DueSchedule Schedule, DateTimeOffset? NextDueAt)>> PlannedAsync(
        NpgsqlDataSource database,
        FireableSchedules schedules,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Planned);
        schedules.AddTo(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var planned = new List<(DueSchedule, DateTimeOffset?)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var next = reader.Optional<DateTimeOffset>("next_due_at");
            planned.Add((ScheduleFrom(reader, next ?? DateTimeOffset.MaxValue), next));
        }

        return planned;
    }

    /// <summary>Lets a schedule be due earlier; false when somebody has fired or changed it meanwhile.</summary>
    public static async Task<bool> MoveBackAsync(
        NpgsqlDataSource database,
        DueSchedule schedule,
        DateTimeOffset? from,
        DateTimeOffset to,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(MoveBack);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.Name });
        command.Parameters.Add(
            new() { Value = from is { } stored ? stored : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset> { TypedValue = to, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.Cron });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.TimeZone });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Writes a schedule's firings and moves it on.</summary>
    public static async Task FireAsync(
        NpgsqlConnection connection,
        string schedule,
        FiringPlan plan,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Fire, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. plan.Due],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(
            new() { Value = plan.Next is { } next ? next : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = plan.LeftOut });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Locks firings that wait for their messages, with their schedules.</summary>
    public static async Task<List<WaitingFiring>> TakeWaitingAsync(
        NpgsqlConnection connection,
        FireableSchedules schedules,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(TakeWaiting, connection);
        schedules.AddTo(command.Parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var firings = new List<WaitingFiring>();
        while (await reader.ReadAsync(cancellationToken))
            firings.Add(
                new WaitingFiring(
                    new Firing(reader.GetString("schedule"), reader.GetFieldValue<DateTimeOffset>("due_at")),
                    reader.OptionalText("kind"),
                    reader.OptionalText("payload")
                )
            );
        return firings;
    }

    /// <summary>Ends firings whose messages are written in the same transaction.</summary>
    public static async Task PublishAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Firing> firings,
        string host,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Publish, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. firings.Select(f => f.Schedule)] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. firings.Select(f => f.DueAt)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = [.. firings.Select(f => $"Message {f.Id} is on its way.")] }
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = host });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static DueSchedule ScheduleFrom(NpgsqlDataReader reader, DateTimeOffset nextDueAt) =>
        new(
            reader.GetString("name"),
            reader.GetString("cron"),
            reader.GetString("time_zone"),
            (Misfire)reader.GetInt16("misfire"),
            nextDueAt,
            reader.GetFieldValue<DateTimeOffset>("read_at")
        );
}

/// <summary>What a process can fire.</summary>
/// <param name="Names">Schedules of its code, by name.</param>
/// <param name="Kinds">Kinds of its code, whose schedules operators have created.</param>
/// <param name="Except">Schedules that it found it cannot fire.</param>
internal sealed record FireableSchedules(string[] Names, string[] Kinds, string[] Except)
{
    public void AddTo(NpgsqlParameterCollection parameters)
    {
        foreach (var names in (string[][])[Names, Kinds, Except])
            parameters.Add(new NpgsqlParameter<string[]> { TypedValue = names });
    }
}

/// <summary>A firing that waits for its message, locked by this process together with its schedule.</summary>
/// <param name="Firing">The firing.</param>
/// <param name="Kind">The kind of its schedule; null for a schedule of the code.</param>
/// <param name="Payload">The payload of its schedule, as it stands now.</param>
internal sealed record WaitingFiring(Firing Firing, string? Kind, string? Payload);

/// <summary>A schedule that is due, locked by this process.</summary>
internal sealed record DueSchedule(
    string Name,
    string Cron,
    string TimeZone,
    Misfire Misfire,
    DateTimeOffset NextDueAt,
    DateTimeOffset Now
);
