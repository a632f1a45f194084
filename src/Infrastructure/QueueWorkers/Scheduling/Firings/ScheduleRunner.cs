using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Scheduling.Firings;

/// <summary>
/// Fires schedules. There is no leader: every process looks, and the rows' locks decide. The life of a firing:
/// 1. The schedule is due. One process locks its row, writes the firing (its key is schedule and moment: there is never
///    a second one) and moves the schedule on. Others skip the locked row.
/// 2. For a schedule with a message the outbox row is written in the same transaction. Dying before its commit leaves
///    all as it was, and another process fires; after it the message is on its way.
/// 3. For a schedule with a job the firing waits for <see cref="JobRunner"/>, which any process may be.
/// When nobody was there the misfire policy decides, see <see cref="FiringPlan"/>.
/// A schedule that an operator has created is fired in the same way. Its row is locked until its message is committed:
/// who changes or deletes it meanwhile waits, and a firing has one payload, the one of before or the one after.
/// A process that cannot use a schedule's cron text or zone (no tzdata) leaves the schedule due, for another process.
/// A schedule that is due later than its cron text says, because a clock was ahead, is moved back.
/// </summary>
public sealed class ScheduleRunner(
    NpgsqlDataSource database,
    ScheduleCatalogue catalogue,
    ScheduleOptions options,
    JobRunner jobs,
    RelayFeed relay,
    Fleet fleet,
    ScheduleMetrics metrics,
    ILogger<ScheduleRunner> logger
) : ResilientLoop(DatabaseClock.Provider)
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AfterUnusable = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SharePerCheck = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestBetweenChecks = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // However many processes there are: all together look four times a second, and a firing that is due is found by
    // some process within 20 ms on average.
    private static readonly TimeSpan SharePerLook = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SharePerFiring = TimeSpan.FromMilliseconds(20);

    // A process fires what it knows; what only a newer version knows is left to that version's processes.
    private readonly string[] _known = [.. catalogue.Schedules.Select(s => s.Name)];
    private readonly string[] _kinds = [.. catalogue.Kinds.Select(k => k.Kind.Name)];
    private readonly FiringMessages _messages = new(catalogue);

    // Schedules that this process cannot fire, and when it found so. By the stopwatch: no clock that jumps changes it.
    private readonly Dictionary<string, long> _unusable = [];
    private long _checked;
    private TimeSpan _untilCheck = TimeSpan.Zero;

    /// <summary>True: one schedule's message may be what fails, and the other schedules still have to fire.</summary>
    protected override bool SurvivesDefects => true;

    /// <summary>Fires what is due.</summary>
    /// <returns>How long to wait before the next look.</returns>
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (Stopwatch.GetElapsedTime(_checked) >= _untilCheck)
            await CheckPlansAsync(cancellationToken);
        var (nextIn, waiting) = await ScheduleQueries.LookAsync(database, Usable(), cancellationToken);
        if (nextIn == TimeSpan.Zero || waiting)
        {
            await FireAsync(cancellationToken);
            jobs.Wake();
            (nextIn, _) = await ScheduleQueries.LookAsync(database, Usable(), cancellationToken);
        }

        var look = fleet.Pace(SharePerLook, options.PollInterval, LongestLook);
        // Never below 10 ms: a row that another process holds locked shows as due, and must not make this one spin. Of
        // many processes each comes a little later than the last one: the first fires.
        return nextIn is { } next && next < look
            ? TimeSpan.FromTicks(Math.Max(next.Ticks, ShortestWait.Ticks))
                + (SharePerFiring * (fleet.Processes - 1) * Random.Shared.NextDouble())
            : look;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => DatabaseFault.MayPass(fault);

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(options.PollInterval, LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        ScheduleLog.Fault(logger, fault, retryAfter);

    private async Task FireAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var due in await ScheduleQueries.TakeDueAsync(connection, Usable(), cancellationToken))
            await FireAsync(connection, due, cancellationToken);

        var (firings, messages) = (new List<Firing>(), new List<OutboxMessage>());
        var waiting = await ScheduleQueries.TakeWaitingAsync(
            connection,
            Usable() with
            {
                Names = _messages.Schedules,
            },
            cancellationToken
        );
        foreach (var firing in waiting)
        {
            if (MessageOf(firing) is not { } message)
                continue;
            firings.Add(firing.Firing);
            messages.Add(message);
        }

        if (messages.Count > 0)
        {
            await ScheduleQueries.PublishAsync(connection, firings, Environment.MachineName, cancellationToken);
            await OutboxWriter.InsertAsync(connection, messages, cancellationToken);
        }

        await transaction.CommitAsync(CancellationToken.None);
        // Only now: the rows exist. Dying here costs a lease, not a message.
        messages.ForEach(relay.Offer);
        firings.ForEach(f => metrics.Ended(f.Schedule, done: true, TimeSpan.Zero));
    }

    // A row that says "in ten years" would be silent for ten years, and nobody would know: the clock of the database or
    // of a deployment was ahead when it was written. Dying anywhere here changes nothing; two who do it do the same.
    private async Task CheckPlansAsync(CancellationToken cancellationToken)
    {
        foreach (var (schedule, next) in await ScheduleQueries.PlannedAsync(database, Usable(), cancellationToken))
        {
            CronText cron;
            try
            {
                cron = CronText.Parse(schedule.Cron, schedule.TimeZone);
            }
            catch (FormatException unusable)
            {
                LeaveToOthers(schedule.Name, unusable);
                continue;
            }

            // A clock that was set back by moments is let be: what fired right before it would only be looked at again.
            if (
                next <= cron.After(schedule.Now + options.MisfireAfter)
                || cron.After(schedule.Now) is not { } right
                || !await ScheduleQueries.MoveBackAsync(database, schedule, next, right, cancellationToken)
            )
                continue;
            ScheduleLog.MovedBack(logger, schedule.Name, next, right);
        }

        (_checked, _untilCheck) = (
            Stopwatch.GetTimestamp(),
            fleet.Pace(SharePerCheck, BetweenChecks, LongestBetweenChecks)
        );
    }

    // A zone that this machine does not know, or a text of an operator's that never fires. The row stays as it is, due:
    // another process may know it. Asked again, and told again, once a minute until somebody fixes it.
    private void LeaveToOthers(string schedule, FormatException unusable)
    {
        ScheduleLog.Unusable(logger, schedule, unusable.Message);
        _unusable[schedule] = Stopwatch.GetTimestamp();
    }

    // One that an operator filled in must not keep the others from firing. Its firing waits: for a process of another
    // version, or for a change.
    private OutboxMessage? MessageOf(WaitingFiring firing)
    {
        try
        {
            return _messages.Of(firing);
        }
        catch (FormatException unfit)
        {
            LeaveToOthers(firing.Firing.Schedule, unfit);
            return null;
        }
    }

    private FireableSchedules Usable()
    {
        foreach (var (schedule, since) in _unusable)
        {
            if (Stopwatch.GetElapsedTime(since) >= AfterUnusable)
                _unusable.Remove(schedule);
        }

        return new FireableSchedules(_known, _kinds, [.. _unusable.Keys]);
    }

    private async Task FireAsync(NpgsqlConnection connection, DueSchedule due, CancellationToken cancellationToken)
    {
        FiringPlan plan;
        try
        {
            plan = FiringPlan.Of(
                CronText.Parse(due.Cron, due.TimeZone),
                due.Misfire,
                due.NextDueAt,
                due.Now,
                options.MisfireAfter
            );
        }
        catch (FormatException unusable)
        {
            LeaveToOthers(due.Name, unusable);
            return;
        }

        await ScheduleQueries.FireAsync(connection, due.Name, plan, cancellationToken);
        if (plan.LeftOut > 0)
        {
            ScheduleLog.LeftOut(logger, due.Name, plan.LeftOut, due.Misfire);
            metrics.LeftOut(due.Name, plan.LeftOut);
        }
    }
}
