using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Scheduling;

/// <summary>Counts and times firings.</summary>
public sealed class ScheduleMetrics
{
    private readonly Counter<long> _firings;
    private readonly Counter<long> _leftOut;
    private readonly Histogram<double> _duration;

    /// <summary>Creates the instruments.</summary>
    public ScheduleMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _firings = meter.CreateCounter<long>(
            "queueworkers.schedule.firings",
            "{firing}",
            "Firings that ended, by schedule and outcome (done or failed)."
        );
        _leftOut = meter.CreateCounter<long>(
            "queueworkers.schedule.misfires",
            "{firing}",
            "Missed firings skipped by the misfire policy."
        );
        _duration = meter.CreateHistogram<double>(
            "queueworkers.schedule.duration",
            "s",
            "Time from the beginning of a firing to its end."
        );
    }

    internal void Ended(string schedule, bool done, TimeSpan duration)
    {
        _firings.Add(
            1,
            new("schedule", schedule),
            new KeyValuePair<string, object?>("outcome", done ? "done" : "failed")
        );
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("schedule", schedule));
    }

    internal void LeftOut(string schedule, int count) =>
        _leftOut.Add(count, new KeyValuePair<string, object?>("schedule", schedule));
}
