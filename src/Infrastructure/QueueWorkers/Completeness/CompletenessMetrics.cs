using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Completeness;

/// <summary>Counts what the completeness check looked at and found.</summary>
public sealed class CompletenessMetrics
{
    private readonly LabelValues _effects = new(200);
    private readonly Counter<long> _checked;
    private readonly Counter<long> _found;

    /// <summary>Creates the instruments.</summary>
    public CompletenessMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _checked = meter.CreateCounter<long>(
            "queueworkers.completeness.checked",
            "{subject}",
            "Subjects that were checked. Absent until the first check."
        );
        _found = meter.CreateCounter<long>(
            "queueworkers.completeness.gaps",
            "{gap}",
            "Gaps that were found, by kind and effect. A gap counts once until it is closed. Absent until the first one."
        );
    }

    internal void Checked(string kind, int count) =>
        _checked.Add(count, new KeyValuePair<string, object?>("kind", kind));

    internal void Found(GapKind kind, string effect) =>
        _found.Add(1, new("kind", kind.ToString()), new KeyValuePair<string, object?>("effect", _effects.Of(effect)));
}
