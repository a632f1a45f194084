using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Topology;

/// <summary>Counts what the check of the topology found and did.</summary>
internal sealed class TopologyMetrics
{
    // Steps and subscribers of other systems, as the deployment has made them.
    private readonly LabelValues _queues = new(200);
    private readonly Counter<long> _lost;
    private readonly Counter<long> _sentAgain;

    public TopologyMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _lost = meter.CreateCounter<long>(
            "queueworkers.topology.lost",
            "{queue}",
            "Queues that were deleted, recreated, or cut off from an exchange. Absent until the first one."
        );
        _sentAgain = meter.CreateCounter<long>(
            "queueworkers.topology.sent_again",
            "{message}",
            "Messages that were sent again because their queue was lost. Absent until the first one."
        );
    }

    public void Lost(string queue) => _lost.Add(1, new KeyValuePair<string, object?>("queue", _queues.Of(queue)));

    public void SentAgain(string queue, int count) =>
        _sentAgain.Add(count, new KeyValuePair<string, object?>("queue", _queues.Of(queue)));
}
