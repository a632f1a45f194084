using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Retention;

/// <summary>Counts purged rows.</summary>
public sealed class RetentionMetrics
{
    private readonly Counter<long> _purged;

    /// <summary>Creates the instruments.</summary>
    public RetentionMetrics(IMeterFactory meters) =>
        _purged = meters
            .Create(QueueWorkersTelemetry.Name)
            .CreateCounter<long>(
                "queueworkers.retention.purged",
                "{row}",
                "Rows deleted by age, by table. Absent until rows were deleted."
            );

    internal void Purged(string table, long rows)
    {
        if (rows > 0)
            _purged.Add(rows, new KeyValuePair<string, object?>("table", table));
    }
}
