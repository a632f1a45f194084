using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Scheduling.Changeable;

namespace QueueWorkers.Scheduling;

/// <summary>
/// Writes the catalogue of schedules into the database. What an operator has changed or paused stays so; what has left
/// the catalogue stops firing and keeps its history. Schedules that operators have created stay, also when their kind
/// has left the catalogue: see <see cref="KindDeployment"/>.
/// </summary>
public sealed class ScheduleDeployment(NpgsqlDataSource database, ScheduleCatalogue catalogue)
{
    /// <summary>What a process needs that keeps schedules.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    ["select, update on schedules", "select, insert, update, delete on schedule_runs"];

    /// <summary>What the operators' process needs, which creates and deletes schedules.</summary>
    public static IReadOnlyList<string> OperatorGrants { get; } =
    [
        "select, insert, update, delete on schedules",
        "select, insert, delete on schedule_runs",
        "select on schedule_kinds",
    ];

    // A new cron text counts from now; an unchanged one keeps its next moment, or a deployment every hour would starve
    // a daily schedule that is just due.
    private const string Write = """
        insert into schedules (name, cron, time_zone, misfire, customised, active, paused, next_due_at, misfires)
            values ($1, $2, $3, $4, false, true, false, $5, 0)
        on conflict (name) do update set
            next_due_at = case when schedules.customised
                or (schedules.active and (schedules.cron, schedules.time_zone) = (excluded.cron, excluded.time_zone))
                then schedules.next_due_at else excluded.next_due_at end,
            cron = case when schedules.customised then schedules.cron else excluded.cron end,
            time_zone = case when schedules.customised then schedules.time_zone else excluded.time_zone end,
            misfire = case when schedules.customised then schedules.misfire else excluded.misfire end,
            revision = case when schedules.customised or (schedules.cron, schedules.time_zone, schedules.misfire)
                = (excluded.cron, excluded.time_zone, excluded.misfire)
                then schedules.revision else excluded.revision end,
            active = true
        """;

    /// <summary>Does it, in a transaction of its own.</summary>
    public async Task DeployAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DeployAsync(connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Does it, in the caller's transaction.</summary>
    public async Task DeployAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (
            var command = new NpgsqlCommand(
                "update schedules set active = false where kind is null and name <> all($1)",
                connection
            )
        )
        {
            command.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. catalogue.Schedules.Select(s => s.Name)] }
            );
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        foreach (var schedule in catalogue.Schedules)
        {
            await using var command = new NpgsqlCommand(Write, connection);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.Name });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.Cron });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = schedule.TimeZone });
            command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)schedule.Misfire });
            var next = CronText.Parse(schedule.Cron, schedule.TimeZone).After(DatabaseClock.UtcNow);
            command.Parameters.Add(
                new() { Value = next is { } due ? due : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
            );
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await KindDeployment.DeployAsync(connection, catalogue, cancellationToken);
    }
}
