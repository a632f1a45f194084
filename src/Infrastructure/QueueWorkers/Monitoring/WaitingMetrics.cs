using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Monitoring;

/// <summary>Shows what waits for its step, as the last look saw it.</summary>
public sealed class WaitingMetrics
{
    private readonly TimeProvider _time;
    private IReadOnlyList<WaitingMessages> _now = [];

    /// <summary>Creates the instruments.</summary>
    public WaitingMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        meter.CreateObservableGauge(
            "queueworkers.step.waiting",
            () => Now.Select(w => new Measurement<long>(w.Count, [new("step", w.Step), new("cause", w.Cause)])),
            "{message}",
            "Messages that wait for their next attempt (cause redelivery) or are deferred, up to 10,000 of each cause. Absent while none waits."
        );
        meter.CreateObservableGauge(
            "queueworkers.step.waiting.age",
            () => Now.Select(w => new Measurement<double>(Age(w), [new("step", w.Step), new("cause", w.Cause)])),
            "s",
            "How long the oldest of them has waited, whatever was tried meanwhile. Absent while none waits."
        );
    }

    /// <summary>The last look.</summary>
    public IReadOnlyList<WaitingMessages> Now
    {
        get => Volatile.Read(ref _now);
        set => Volatile.Write(ref _now, value);
    }

    private double Age(WaitingMessages waiting) =>
        waiting.Since is { } since ? Math.Max(0, (_time.GetUtcNow() - since).TotalSeconds) : 0;
}
