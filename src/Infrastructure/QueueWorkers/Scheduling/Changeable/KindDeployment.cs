using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>
/// Writes the kinds of schedules into the database, and looks at each schedule that operators have created: whether
/// this version has its kind, and whether its payload still fits. One that cannot fire stays as it is, inactive, with the
/// reason; a later version that can fire it takes it up again, from then on.
/// </summary>
internal static class KindDeployment
{
    private const string Write = """
        insert into schedule_kinds (name, about, message, fields, smallest_interval, most, active)
            values ($1, $2, $3, $4, $5, $6, true)
        on conflict (name) do update set about = excluded.about, message = excluded.message, fields = excluded.fields,
            smallest_interval = excluded.smallest_interval, most = excluded.most, active = true
        """;

    // The locks keep an operator from changing a schedule between the look at it and the verdict.
    private const string Created = """
        select name, kind, cron, time_zone, misfire, payload::text as payload, active, clock_timestamp() as read_at
        from schedules where kind is not null order by name for no key update
        """;

    private const string Judge = """
        update schedules set active = $2::text is null, unusable_because = $2,
            next_due_at = case when $3 then $4 else next_due_at end
        where name = $1
        """;

    /// <summary>Does it, in the caller's transaction.</summary>
    public static async Task DeployAsync(
        NpgsqlConnection connection,
        ScheduleCatalogue catalogue,
        CancellationToken cancellationToken
    )
    {
        await using (
            var gone = new NpgsqlCommand("update schedule_kinds set active = false where name <> all($1)", connection)
        )
        {
            gone.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. catalogue.Kinds.Select(k => k.Kind.Name)] }
            );
            await gone.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var (kind, _) in catalogue.Kinds)
            await WriteAsync(connection, kind, cancellationToken);
        foreach (var schedule in await CreatedAsync(connection, cancellationToken))
            await JudgeAsync(connection, catalogue, schedule, cancellationToken);
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection,
        ScheduleKind kind,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Write, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind.Name });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind.About });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind.Message });
        command.Parameters.Add(
            new NpgsqlParameter<string>
            {
                TypedValue = ScheduleKindRow.FieldsOf(kind),
                NpgsqlDbType = NpgsqlDbType.Jsonb,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = kind.SmallestInterval, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = kind.Most });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<CreatedSchedule>> CreatedAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Created, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var created = new List<CreatedSchedule>();
        while (await reader.ReadAsync(cancellationToken))
            created.Add(
                new CreatedSchedule(
                    reader.GetString("name"),
                    reader.GetString("kind"),
                    reader.GetString("cron"),
                    reader.GetString("time_zone"),
                    reader.OptionalText("payload") ?? "{}",
                    reader.GetBoolean("active"),
                    reader.GetFieldValue<DateTimeOffset>("read_at")
                )
            );
        return created;
    }

    private static async Task JudgeAsync(
        NpgsqlConnection connection,
        ScheduleCatalogue catalogue,
        CreatedSchedule schedule,
        CancellationToken cancellationToken
    )
    {
        var problem = ProblemOf(catalogue, schedule);
        var comesBack = problem is null && !schedule.IsActive;
        await using var command = new NpgsqlCommand(Judge, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.Name });
        command.Parameters.Add(new() { Value = (object?)problem ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = comesBack });
        // What would have been due meanwhile was not missed: nobody could have fired it.
        var next = comesBack ? NextOf(schedule) : null;
        command.Parameters.Add(
            new() { Value = next is { } due ? due : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string? ProblemOf(ScheduleCatalogue catalogue, CreatedSchedule schedule)
    {
        if (catalogue.Kinds.FirstOrDefault(k => k.Kind.Name == schedule.Kind) is not { } entry)
            return UnusableSchedule.KindIsGone(schedule.Kind);
        try
        {
            SchedulePayload.Parse(entry.Kind, schedule.Payload);
        }
        catch (FormatException unfit)
        {
            return $"Its payload does not fit the kind '{schedule.Kind}' of this version. {unfit.Message} Change the schedule.";
        }

        return CronOf(schedule)?.IntervalBelow(entry.Kind.SmallestInterval, schedule.ReadAt) is { } interval
            ? $"Expected at least {entry.Kind.SmallestInterval} between two firings, found {interval}: the limit of the kind '{schedule.Kind}' has changed. Change the schedule."
            : null;
    }

    // Whether its zone is known is for the processes that fire it: they may know more zones than this machine.
    private static CronText? CronOf(CreatedSchedule schedule)
    {
        try
        {
            return CronText.Parse(schedule.Cron, schedule.TimeZone);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // Without a moment a process that knows the zone finds the right one: ScheduleRunner looks for such schedules.
    private static DateTimeOffset? NextOf(CreatedSchedule schedule) => CronOf(schedule)?.After(schedule.ReadAt);

    private sealed record CreatedSchedule(
        string Name,
        string Kind,
        string Cron,
        string TimeZone,
        string Payload,
        bool IsActive,
        DateTimeOffset ReadAt
    );
}
