using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;

namespace QueueWorkers.Scheduling.Firings;

/// <summary>
/// Works on firings whose schedule runs a job, one at a time in each process:
/// 1. A waiting firing, or one whose process has let its lease run out, is claimed with a lease. Dying after it costs
///    the lease, then another process begins again.
/// 2. The job runs; the lease is moved on meanwhile. If that fails because another process has taken over, the job is
///    cancelled.
/// 3. The outcome is written, if the firing is still ours. Dying before it runs the job a second time.
/// A job that kills its process is given up after <see cref="ScheduleOptions.MaxAttempts"/>; one that throws has
/// failed, and runs again when its schedule is due again.
/// </summary>
public sealed class JobRunner(
    NpgsqlDataSource database,
    ScheduleCatalogue catalogue,
    ScheduleOptions options,
    IServiceScopeFactory scopes,
    ScheduleMetrics metrics,
    ILogger<JobRunner> logger
) : ResilientLoop(DatabaseClock.Provider)
{
    private readonly Dictionary<string, Type> _jobs = catalogue
        .Schedules.Where(s => s.Job is not null)
        .ToDictionary(s => s.Name, s => s.Job!);
    private readonly SemaphoreSlim _wake = new(0, 1);

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _wake.Dispose();
    }

    /// <summary>Says that a firing may be waiting.</summary>
    internal void Wake()
    {
        // Called by the one loop of the schedule runner: nobody else releases between the two lines.
        if (_jobs.Count > 0 && _wake.CurrentCount == 0)
            _wake.Release();
    }

    /// <summary>True: nobody else in this process runs jobs.</summary>
    protected override bool SurvivesDefects => true;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        string[] names = [.. _jobs.Keys];
        await _wake.WaitAsync(cancellationToken);
        while (
            await JobQueries.ClaimAsync(database, names, Environment.MachineName, options.Lease, cancellationToken)
                is { } firing
        )
            await RunAsync(firing, cancellationToken);
        return TimeSpan.Zero;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => DatabaseFault.MayPass(fault);

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => options.PollInterval;

    // The firing stays claimed or waiting; whoever looks next, here or elsewhere, wakes somebody.
    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        ScheduleLog.Fault(logger, fault, retryAfter);

    private async Task RunAsync(Firing firing, CancellationToken stopping)
    {
        if (firing.Attempt > options.MaxAttempts)
        {
            ScheduleLog.GivenUp(logger, firing.Schedule, firing.DueAt, options.MaxAttempts);
            await EndAsync(
                firing,
                FiringStatus.Failed,
                $"Given up: its process died {options.MaxAttempts} times at it.",
                TimeSpan.Zero
            );
            return;
        }

        using var running = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var done = new CancellationTokenSource();
        var keeping = KeepAsync(firing, running, done.Token);
        var watch = Stopwatch.StartNew();
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var job = (IScheduledJob)scope.ServiceProvider.GetRequiredService(_jobs[firing.Schedule]);
            var result = await job.RunAsync(firing, running.Token);
            await EndAsync(firing, FiringStatus.Done, result, watch.Elapsed);
            ScheduleLog.Done(logger, firing.Schedule, firing.DueAt, watch.Elapsed, result);
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // Cut off by the end of the process: another one begins again at once instead of after the lease.
            ScheduleLog.GivenBack(logger, firing.Schedule, firing.DueAt);
            await JobQueries.GiveBackAsync(database, firing);
        }
        catch (Exception) when (running.IsCancellationRequested)
        {
            ScheduleLog.LostLease(logger, firing.Schedule, firing.DueAt);
        }
#pragma warning disable CA1031 // Whatever a job throws is its outcome: written down, logged, counted.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            ScheduleLog.Failed(logger, firing.Schedule, firing.DueAt, firing.Attempt, fault);
            await EndAsync(firing, FiringStatus.Failed, $"{fault.GetType().Name}: {fault.Message}", watch.Elapsed);
        }
        finally
        {
            await done.CancelAsync();
            await keeping;
        }
    }

    // The outcome waits for a database that is away: a job that is done should not be begun again for that.
    private async Task EndAsync(Firing firing, FiringStatus status, string result, TimeSpan duration)
    {
        using var patience = new CancellationTokenSource(options.Lease);
        await DatabaseRetry.RunAsync(() => JobQueries.EndAsync(database, firing, status, result), patience.Token);
        metrics.Ended(firing.Schedule, status is FiringStatus.Done, duration);
    }

    private async Task KeepAsync(Firing firing, CancellationTokenSource running, CancellationToken done)
    {
        var leaseUntil = Stopwatch.GetTimestamp();
        while (true)
        {
            await Task.Delay(options.Lease / 3, done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (done.IsCancellationRequested)
                return;
            try
            {
                if (!await JobQueries.RenewAsync(database, firing, options.Lease, done))
                {
                    await running.CancelAsync();
                    return;
                }

                leaseUntil = Stopwatch.GetTimestamp();
            }
            catch (OperationCanceledException) when (done.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (DatabaseFault.MayPass(fault))
            {
                // Others may begin it once the lease is over: then it must have stopped here.
                if (Stopwatch.GetElapsedTime(leaseUntil) < options.Lease * 0.9)
                    continue;
                await running.CancelAsync();
                return;
            }
            catch
            {
                // Whatever it was, nobody moves the lease on any more.
                await running.CancelAsync();
                throw;
            }
        }
    }
}
