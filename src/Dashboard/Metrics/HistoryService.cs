using System.Data.Common;
using QueueWorkers.Monitoring.History;

namespace Orders.Dashboard.Metrics;

/// <summary>Keeps the history going, once a quarter of a minute.</summary>
internal sealed class HistoryService(HistoryKeeper keeper, TimeProvider time, ILogger<HistoryService> log)
    : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(15);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pace, time);
        try
        {
            do
            {
                try
                {
                    await keeper.KeepAsync(time.GetUtcNow(), stoppingToken);
                }
                catch (Exception fault) when (fault is DbException or TimeoutException)
                {
                    // The minutes that are missing are written when the database is back.
                    DashboardLog.HistoryNotWritten(log, fault.Message);
                }
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The dashboard stops.
        }
    }
}
