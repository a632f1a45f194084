using Microsoft.Extensions.Hosting;
using Npgsql;

namespace QueueWorkers.Hosting;

/// <summary>
/// A background service that repeats one action until the process stops. The loop never ends by itself:
/// 1. An outage of the database or the broker is logged once, when it begins. The action is tried again after
///    <see cref="RetryAfter"/>, with jitter, so that many processes do not return at the same moment.
/// 2. Any other exception is a defect. It ends the loop, and <see cref="LoopWatch"/> stops the process with exit code 1.
/// 3. A loop that runs code of others, or whose action is the only one of its kind, sets <see cref="SurvivesDefects"/>:
///    each defect is logged, and the loop goes on.
/// </summary>
/// <param name="time">The clock of the waits between two runs.</param>
public abstract class ResilientLoop(TimeProvider time) : BackgroundService
{
    private const double Jitter = 0.2;

    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>The clock of the loop.</summary>
    protected TimeProvider Time { get; } = time;

    /// <summary>Whether the loop goes on after a defect. False by default: a defect stops the process.</summary>
    protected virtual bool SurvivesDefects => false;

    /// <summary>Runs the action once.</summary>
    /// <returns>The wait before the next run; the action follows at once when it is zero.</returns>
    protected abstract Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken);

    /// <summary>Whether a later run may succeed because a server is back by then.</summary>
    protected virtual bool IsOutage(Exception fault) => fault is NpgsqlException or TimeoutException;

    /// <summary>The wait after a fault, before jitter. One second by default.</summary>
    /// <param name="faults">The number of runs that have failed in a row, 1 or more.</param>
    protected virtual TimeSpan RetryAfter(int faults) => DefaultRetryAfter;

    /// <summary>Logs the beginning of an outage, or a defect that the loop survives.</summary>
    /// <param name="fault">The exception of the run.</param>
    /// <param name="retryAfter">The wait before the next run.</param>
    protected abstract void LogFault(Exception fault, TimeSpan retryAfter);

    /// <summary>Logs the end of an outage. Does nothing by default.</summary>
    protected virtual void LogRecovery() { }

    /// <inheritdoc />
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var faults = 0;
        var isOutage = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                wait = await RunOnceAsync(stoppingToken);
                faults = 0;
                if (isOutage)
                    LogRecovery();
                isOutage = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (SurvivesDefects || IsOutage(fault))
            {
                wait = RetryAfter(++faults) * (1 - Jitter + (2 * Jitter * Random.Shared.NextDouble()));
                if (!isOutage || !IsOutage(fault))
                    LogFault(fault, wait);
                isOutage |= IsOutage(fault);
            }

            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A wait that doubles with each fault, up to a longest one.</summary>
    protected static TimeSpan Backoff(TimeSpan first, TimeSpan longest, int faults) =>
        TimeSpan.FromTicks((long)Math.Min(first.Ticks * Math.Pow(2, faults - 1), longest.Ticks));
}
