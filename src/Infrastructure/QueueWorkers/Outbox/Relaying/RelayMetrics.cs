using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>Counts what the relay did.</summary>
public sealed class RelayMetrics
{
    private readonly Counter<long> _published;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _quarantined;

    /// <summary>Creates the instruments.</summary>
    public RelayMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _published = meter.CreateCounter<long>(
            "queueworkers.outbox.published",
            "{message}",
            "Messages confirmed by the broker, by their way (fast path or poller)."
        );
        _refused = meter.CreateCounter<long>(
            "queueworkers.outbox.refused",
            "{message}",
            "Attempts to publish that the broker refused. The message is sent again."
        );
        _quarantined = meter.CreateCounter<long>(
            "queueworkers.outbox.quarantined",
            "{message}",
            "Messages quarantined after the last attempt. An operator decides about them."
        );
    }

    internal void Published(int count, string way) =>
        _published.Add(count, new KeyValuePair<string, object?>("way", way));

    internal void Refused() => _refused.Add(1);

    internal void Quarantined() => _quarantined.Add(1);
}
