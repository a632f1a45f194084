using System.Data;
using System.Globalization;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>
/// A schedule that an operator has created or changed, and that does not fire: the deployed version cannot use it, or no
/// worker does.
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Reason">Why, and what to change. It may quote the payload.</param>
/// <param name="Action">What to change, without anything that an operator wrote.</param>
public sealed record UnusableSchedule(string Name, string Reason, string Action)
{
    private const int Most = 20;

    // A process that fires looks at least once a minute, and asks itself once a minute again what it could not use.
    private const string Patience = "interval '5 minutes'";

    /// <summary>What <see cref="Of"/> reads besides the columns of the schedule; aliases: <c>s</c> and <c>k</c>.</summary>
    internal static readonly string Columns = $"""
        s.unusable_because, s.next_due_at as planned_at, s.kind is not null and k.active is not true as kind_is_gone,
            s.active and not s.paused and (s.kind is not null or s.customised)
                and coalesce(s.next_due_at < now() - {Patience}, true) as is_overdue,
            (select min(r.due_at) from schedule_runs r
                where r.schedule = s.name and s.kind is not null and s.active and not s.paused
                    and r.status = {FiringStatus.Waiting:D} and r.due_at < now() - {Patience}) as stuck_since
        """;

    /// <summary>Those that are not paused: of a paused one nobody expects a firing.</summary>
    internal static readonly string Look = $"""
        select * from (
            select s.name, s.kind, s.cron, s.time_zone, {Columns}
            from schedules s left join schedule_kinds k on k.name = s.kind where not s.paused) schedules
        where kind_is_gone or unusable_because is not null or is_overdue or stuck_since is not null
        order by name limit {Most}
        """;

    /// <summary>What a row says; null when the schedule can fire.</summary>
    internal static UnusableSchedule? Of(NpgsqlDataReader reader)
    {
        var name = reader.GetString("name");
        if (reader.GetBoolean("kind_is_gone"))
            return new(name, KindIsGone(reader.GetString("kind")), "Deploy a version that has its kind, or delete it.");
        if (reader.OptionalText("unusable_because") is { } because)
            return new(name, because, "Its payload or its interval does not fit this version: change it on its page.");
        if (reader.GetBoolean("is_overdue"))
            return Overdue(
                name,
                reader.Optional<DateTimeOffset>("planned_at") is { } due
                    ? $"It was due at {Utc(due)}, and no worker has fired it."
                    : "It has no next firing.",
                ProblemOf(reader.GetString("cron"), reader.GetString("time_zone"))
            );
        return reader.Optional<DateTimeOffset>("stuck_since") is { } since
            ? new(
                name,
                $"Its firing of {Utc(since)} waits, and no worker can make the message. Finish the deployment, or change the payload: event 4305 of a worker says what does not fit.",
                "No worker can make its message: finish the deployment, or change its payload on its page."
            )
            : null;
    }

    /// <summary>Why a schedule cannot fire whose kind the deployed version does not have.</summary>
    internal static string KindIsGone(string kind) =>
        $"This version has no kind of schedules '{kind}'. Deploy a version that has it, or delete the schedule.";

    private static UnusableSchedule Overdue(string name, string fact, string? problem) =>
        problem is null
            ? new(
                name,
                $"{fact} Start a worker that fires schedules; if one runs, its event 4305 says what to change.",
                "No worker has fired it: start one; if one runs, its event 4305 says what to change."
            )
            : new(
                name,
                $"{fact} {problem}",
                "No worker can use its cron text or its time zone: change it, or install tzdata on a worker."
            );

    // The workers' machines may know another zone than this one: only of a schedule that does not fire it is asked.
    private static string? ProblemOf(string cron, string timeZone)
    {
        try
        {
            CronText.Parse(cron, timeZone);
            return null;
        }
        catch (FormatException unusable)
        {
            return unusable.Message;
        }
    }

    private static string Utc(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
