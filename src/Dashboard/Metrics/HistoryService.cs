using QueueWorkers.Hosting;
using QueueWorkers.Monitoring.History;

namespace Orders.Dashboard.Metrics;

/// <summary>Keeps the history going, four times a minute.</summary>
internal sealed class HistoryService(HistoryKeeper keeper, TimeProvider time, ILogger<HistoryService> log)
    : ResilientLoop(time)
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(15);

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await keeper.KeepAsync(Time.GetUtcNow(), cancellationToken);
        return Pace;
    }

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Pace;

    // The minutes that are missing are written when the database is back.
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        DashboardLog.HistoryNotWritten(log, fault.Message);
}
