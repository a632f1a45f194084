using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Scheduling;

/// <summary>
/// Fires schedules. There is no leader: every process looks, and the rows' locks decide. The life of a firing:
/// 1. The schedule is due. One process locks its row, writes the firing (its key is schedule and moment: there is never a second one) and moves the schedule on. Others skip the locked row.
/// 2. For a schedule with a message the outbox row is written in the same transaction. Dying before its commit leaves all as it was, and another process fires; after it the message is on its way.
/// 3. For a schedule with a job the firing waits for <see cref="JobRunner"/>, which any process may be.
/// When nobody was there the misfire policy decides, see <see cref="FiringPlan"/>.
/// </summary>
public sealed class ScheduleRunner(
    NpgsqlDataSource database, ScheduleCatalogue catalogue, ScheduleOptions options, JobRunner jobs, RelayFeed relay, Fleet fleet, ScheduleMetrics metrics, ILogger<ScheduleRunner> logger)
    : BackgroundService
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AfterUnusable = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // However many processes there are: all together look four times a second, and a firing that is due is found by some process within 20 ms on average.
    private static readonly TimeSpan SharePerLook = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SharePerFiring = TimeSpan.FromMilliseconds(20);

    // A process fires what it knows; what only a newer version knows is left to that version's processes.
    private readonly string[] _known = [.. catalogue.Schedules.Select(s => s.Name)];
    private readonly Dictionary<string, Func<Firing, OutboxMessage>> _messages = catalogue.Schedules.Where(s => s.Message is not null).ToDictionary(s => s.Name, s => s.Message!);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = options.PollInterval;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = options.PollInterval;
            try
            {
                wait = await RunOnceAsync(stoppingToken);
                pause = options.PollInterval;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (DatabaseFault.MayPass(fault))
            {
                ScheduleLog.DatabaseUnavailable(logger, fault.Message, pause);
                (wait, pause) = (pause, Longer(pause));
            }
#pragma warning disable CA1031 // Nobody else fires in this process: whatever happened, the loop has to go on, and says so.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                ScheduleLog.LoopFailed(logger, pause, fault);
                (wait, pause) = (pause, Longer(pause));
            }

            await Task.Delay(wait, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Fires what is due.</summary>
    /// <returns>How long to wait before the next look.</returns>
    internal async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        var (nextIn, waiting) = await ScheduleQueries.LookAsync(database, _known, cancellationToken);
        if (nextIn == TimeSpan.Zero || waiting)
        {
            await FireAsync(cancellationToken);
            jobs.Wake();
            (nextIn, _) = await ScheduleQueries.LookAsync(database, _known, cancellationToken);
        }

        var look = fleet.Pace(SharePerLook, options.PollInterval, LongestLook);
        // Never below 10 ms: a row that another process holds locked shows as due, and must not make this one spin. Of many processes each comes a little later than the last one: the first fires.
        return nextIn is { } next && next < look ? TimeSpan.FromTicks(Math.Max(next.Ticks, ShortestWait.Ticks)) + (SharePerFiring * (fleet.Processes - 1) * Random.Shared.NextDouble()) : look;
    }

    private async Task FireAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var due in await ScheduleQueries.TakeDueAsync(connection, _known, cancellationToken))
            await FireAsync(connection, due, cancellationToken);

        var firings = await ScheduleQueries.TakeWaitingAsync(connection, [.. _messages.Keys], cancellationToken);
        var messages = firings.ConvertAll(f => _messages[f.Schedule](f));
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

    private async Task FireAsync(NpgsqlConnection connection, DueSchedule due, CancellationToken cancellationToken)
    {
        FiringPlan plan;
        try
        {
            plan = FiringPlan.Of(CronText.Parse(due.Cron, due.TimeZone), due.Misfire, due.NextDueAt, due.Now, options.MisfireAfter);
        }
        catch (FormatException unusable)
        {
            // A zone that this machine does not know. Asked again, and told again, once a minute until somebody mends it.
            ScheduleLog.Unusable(logger, due.Name, unusable.Message);
            plan = new FiringPlan([], 0, due.Now + AfterUnusable);
        }

        await ScheduleQueries.FireAsync(connection, due.Name, plan, cancellationToken);
        if (plan.LeftOut > 0)
        {
            ScheduleLog.LeftOut(logger, due.Name, plan.LeftOut, due.Misfire);
            metrics.LeftOut(due.Name, plan.LeftOut);
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
}
