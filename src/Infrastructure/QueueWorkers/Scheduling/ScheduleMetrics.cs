using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Scheduling;

/// <summary>Counts and times firings.</summary>
public sealed class ScheduleMetrics : IZeroedMetrics
{
    private const string Done = "done";
    private const string Failed = "failed";

    private readonly ScheduleCatalogue _catalogue;
    private readonly Counter<long> _firings;
    private readonly Counter<long> _leftOut;
    private readonly Histogram<double> _duration;

    /// <summary>Creates the instruments.</summary>
    public ScheduleMetrics(IMeterFactory meters, ScheduleCatalogue catalogue)
    {
        _catalogue = catalogue;
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
            "Time from the beginning of a firing to its end. Absent until a firing has ended."
        );
    }

    /// <inheritdoc />
    public void Zero()
    {
        foreach (var name in _catalogue.Schedules.Select(s => s.Name).Concat(_catalogue.Kinds.Select(k => k.Kind.Name)))
        {
            var schedule = new KeyValuePair<string, object?>("schedule", name);
            _leftOut.Add(0, schedule);
            foreach (var outcome in (string[])[Done, Failed])
                _firings.Add(0, schedule, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    internal void Ended(string schedule, bool done, TimeSpan duration)
    {
        _firings.Add(
            1,
            new("schedule", KindOf(schedule)),
            new KeyValuePair<string, object?>("outcome", done ? Done : Failed)
        );
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("schedule", KindOf(schedule)));
    }

    internal void LeftOut(string schedule, int count) =>
        _leftOut.Add(count, new KeyValuePair<string, object?>("schedule", KindOf(schedule)));

    // Schedules that operators have created count together, under their kind: a label does not grow (ADR 133).
    private static string KindOf(string schedule) => schedule.Split('.')[0];
}
