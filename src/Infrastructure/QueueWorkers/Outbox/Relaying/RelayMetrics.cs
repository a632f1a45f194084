using System.Diagnostics;
using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>Counts what the relay did, and times the broker's confirms.</summary>
public sealed class RelayMetrics : IZeroedMetrics
{
    /// <summary>Messages that were offered in memory.</summary>
    internal const string FastPath = "fast path";

    /// <summary>Messages that were taken out of the table.</summary>
    internal const string Poller = "poller";

    /// <summary>Messages for a destination that takes nothing.</summary>
    internal const string SlowLane = "slow lane";

    private static readonly InstrumentAdvice<int> Sizes = new()
    {
        HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    };

    private static readonly InstrumentAdvice<double> Times = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Counter<long> _published;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _quarantined;
    private readonly Histogram<int> _size;
    private readonly Histogram<double> _confirm;

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
        _size = meter.CreateHistogram<int>(
            "queueworkers.relay.batch.size",
            "{message}",
            advice: Sizes,
            description: "Messages that the relay published together, by their way (fast path, poller or slow lane). Absent until a batch was sent."
        );
        _confirm = meter.CreateHistogram<double>(
            "queueworkers.relay.confirm.duration",
            "s",
            advice: Times,
            description: "Time from the first publish of a batch to its last confirm, by way. Absent until a batch was sent."
        );
    }

    /// <inheritdoc />
    public void Zero()
    {
        _refused.Add(0);
        _quarantined.Add(0);
        foreach (var way in (string[])[FastPath, Poller])
            _published.Add(0, new KeyValuePair<string, object?>("way", way));
    }

    internal void Published(int count, string way) =>
        _published.Add(count, new KeyValuePair<string, object?>("way", way));

    internal void Refused() => _refused.Add(1);

    internal void Quarantined() => _quarantined.Add(1);

    /// <summary>The broker has answered a batch.</summary>
    /// <param name="began">When it was begun, as a timestamp of <see cref="Stopwatch"/>.</param>
    /// <param name="count">Its messages.</param>
    /// <param name="way">Its way.</param>
    internal void Confirmed(long began, int count, string way)
    {
        var label = new KeyValuePair<string, object?>("way", way);
        _size.Record(count, label);
        _confirm.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, label);
    }
}
