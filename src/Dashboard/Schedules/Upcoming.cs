using QueueWorkers.Clocks;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Schedules;

/// <summary>When a schedule fires next.</summary>
internal static class Upcoming
{
    /// <summary>
    /// Its next firings; none while it does not fire, or when this machine cannot use its cron text or zone.
    /// </summary>
    public static IReadOnlyList<PlannedFiring> Of(ScheduleView schedule)
    {
        if (!schedule.Active || schedule.Paused || schedule.UnusableBecause is not null)
            return [];
        var problems = new List<ScheduleProblem>();
        return ScheduleDraft.CheckCron(schedule.Cron, schedule.TimeZone, null, problems) is { } cron
            ? PlannedFiring.Next(cron, DatabaseClock.UtcNow)
            : [];
    }
}
