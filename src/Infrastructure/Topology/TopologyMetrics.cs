using System.Diagnostics.Metrics;
using Orders.Infrastructure.Telemetry;

namespace Orders.Infrastructure.Topology;

/// <summary>Counts what the check of the topology found and did.</summary>
internal sealed class TopologyMetrics
{
    private readonly Counter<long> _lost;
    private readonly Counter<long> _sentAgain;

    public TopologyMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(OrdersTelemetry.Name);
        _lost = meter.CreateCounter<long>("orders.topology.lost", "{queue}", "Queues that were deleted, recreated, or cut off from an exchange.");
        _sentAgain = meter.CreateCounter<long>("orders.topology.sent_again", "{message}", "Messages that were sent again because their queue was lost.");
    }

    public void Lost(string queue) => _lost.Add(1, new KeyValuePair<string, object?>("queue", queue));

    public void SentAgain(string queue, int count) => _sentAgain.Add(count, new KeyValuePair<string, object?>("queue", queue));
}
