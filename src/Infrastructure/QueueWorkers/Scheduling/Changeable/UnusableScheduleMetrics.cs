using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>Shows how many schedules of operators do not fire, as the last look saw it.</summary>
public sealed class UnusableScheduleMetrics
{
    private const int NotSeen = -1;

    private int _now = NotSeen;

    /// <summary>Creates the instrument.</summary>
    public UnusableScheduleMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        meter.CreateObservableGauge(
            "queueworkers.schedule.unusable",
            () => Now is { } now ? [new Measurement<int>(now)] : Enumerable.Empty<Measurement<int>>(),
            "{schedule}",
            "Schedules that operators have created or changed and that do not fire, up to 20."
        );
    }

    /// <summary>The last look; null when it failed.</summary>
    public int? Now
    {
        get => Volatile.Read(ref _now) is var now && now == NotSeen ? null : now;
        set => Volatile.Write(ref _now, value ?? NotSeen);
    }
}
