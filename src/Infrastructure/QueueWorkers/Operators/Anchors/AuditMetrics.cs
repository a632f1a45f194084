using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Operators.Anchors;

/// <summary>Shows the head of the audit record: a number that falls means that rows were deleted.</summary>
public sealed class AuditMetrics
{
    private long _head = -1;
    private long _cuts;

    /// <summary>Creates the instruments.</summary>
    public AuditMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        meter.CreateObservableGauge(
            "queueworkers.audit.head",
            Head,
            "{row}",
            "Number of the newest row of the audit record, as read ten seconds ago at most. It never falls."
        );
        meter.CreateObservableCounter(
            "queueworkers.audit.cuts",
            () => Volatile.Read(ref _cuts),
            "{cut}",
            "How often the newest rows of the audit record were found deleted or replaced, since the process began."
        );
    }

    internal void Read(long head) => Volatile.Write(ref _head, head);

    internal void FoundCut() => Interlocked.Increment(ref _cuts);

    private IEnumerable<Measurement<long>> Head() =>
        Volatile.Read(ref _head) is var head and >= 0 ? [new Measurement<long>(head)] : [];
}
