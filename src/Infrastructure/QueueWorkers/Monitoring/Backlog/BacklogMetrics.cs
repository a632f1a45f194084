using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Monitoring.Backlog;

/// <summary>
/// Shows queues and outbox as the last look saw them. For the one process that looks anyway: a hundred workers that each
/// asked would be a load of their own.
/// </summary>
public sealed class BacklogMetrics
{
    private const string Unknown = LabelValues.Other;

    private IReadOnlyList<QueueBacklog> _queues = [];
    private Seen? _outbox;

    /// <summary>Creates the instruments.</summary>
    public BacklogMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        meter.CreateObservableGauge(
            "queueworkers.queue.messages",
            () =>
                Queues.SelectMany(q =>
                    (Measurement<long>[])
                        [
                            new(q.Ready, [new("queue", q.Queue), new("state", "ready")]),
                            new(q.Unacknowledged, [new("queue", q.Queue), new("state", "unacknowledged")]),
                        ]
                ),
            "{message}",
            "Messages in the queue, by state: ready, or unacknowledged with a consumer. Measured by the dashboard."
        );
        meter.CreateObservableGauge(
            "queueworkers.queue.consumers",
            () => Queues.Select(q => new Measurement<int>(q.Consumers, [new("queue", q.Queue)])),
            "{consumer}",
            "Consumers of the queue, one per worker process. Measured by the dashboard."
        );
        meter.CreateObservableGauge(
            "queueworkers.queue.age",
            () => Queues.Select(q => new Measurement<double>(q.Age.TotalSeconds, [new("queue", q.Queue)])),
            "s",
            "How long the oldest message that is ready has been in the queue, and 0 when none is. A message that was there before the dashboard began counts from that moment."
        );
        meter.CreateObservableGauge(
            "queueworkers.outbox.messages",
            () =>
                Outbox is { Figures: var o }
                    ?
                    [
                        new Measurement<long>(o.Late, [new("state", "due")]),
                        new Measurement<long>(o.Delayed, [new("state", "delayed")]),
                        new Measurement<long>(o.Quarantined, [new("state", "quarantined")]),
                    ]
                    : Array.Empty<Measurement<long>>(),
            "{message}",
            "Messages in the outbox, by state (due for more than a second, delayed, quarantined), each up to 10,000. Measured by the dashboard."
        );
        meter.CreateObservableGauge(
            "queueworkers.outbox.lag",
            () =>
                Outbox is { } seen
                    ? [new Measurement<double>(seen.Lag.TotalSeconds)]
                    : Array.Empty<Measurement<double>>(),
            "s",
            "How long the oldest message that is due has waited for the relay, and 0 when none is late. Measured by the dashboard."
        );
    }

    private IReadOnlyList<QueueBacklog> Queues => Volatile.Read(ref _queues);

    private Seen? Outbox => Volatile.Read(ref _outbox);

    /// <summary>Shows the queues.</summary>
    /// <param name="queues">All that the broker has; null when it did not answer, and then nothing is shown.</param>
    /// <param name="known">Those of the catalogue, as last read; null when they never were. All others are shown as one.</param>
    public void Show(IEnumerable<QueueBacklog>? queues, IReadOnlySet<string>? known)
    {
        // A gauge of what nobody has seen would be a claim.
        if (queues is null || known is null)
        {
            Volatile.Write(ref _queues, []);
            return;
        }

        var shown = new List<QueueBacklog>();
        QueueBacklog? others = null;
        foreach (var queue in queues)
        {
            if (known.Contains(queue.Queue))
                shown.Add(queue);
            else
                others = Add(others, queue);
        }

        if (others is { } rest)
            shown.Add(rest);
        Volatile.Write(ref _queues, shown);
    }

    /// <summary>Shows the outbox.</summary>
    /// <param name="figures">What was read; null when the database did not answer, and then nothing is shown.</param>
    /// <param name="at">When.</param>
    public void Show(OutboxFigures? figures, DateTimeOffset at) =>
        Volatile.Write(
            ref _outbox,
            figures is null
                ? null
                : new Seen(figures, figures.OldestDue is { } due && due < at ? at - due : TimeSpan.Zero)
        );

    private static QueueBacklog Add(QueueBacklog? sum, QueueBacklog queue) =>
        new(
            Unknown,
            (sum?.Ready ?? 0) + queue.Ready,
            (sum?.Unacknowledged ?? 0) + queue.Unacknowledged,
            (sum?.Consumers ?? 0) + queue.Consumers,
            sum?.Age > queue.Age ? sum.Value.Age : queue.Age
        );

    private sealed record Seen(OutboxFigures Figures, TimeSpan Lag);
}
