using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>Counts suspects, killers, and messages that could not be dead-lettered.</summary>
public sealed class PoisonMetrics
{
    private readonly Counter<long> _suspects;
    private readonly Counter<long> _poisonous;
    private readonly Counter<long> _cannotDeadLetter;

    /// <summary>Creates the instruments.</summary>
    public PoisonMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _suspects = meter.CreateCounter<long>(
            "queueworkers.poison.suspects",
            "{run}",
            "Messages that ran alone in their process because earlier deliveries were lost."
        );
        _poisonous = meter.CreateCounter<long>(
            "queueworkers.poison.dead_lettered",
            "{message}",
            "Messages dead-lettered because they crashed their process."
        );
        _cannotDeadLetter = meter.CreateCounter<long>(
            "queueworkers.poison.dead_letter_failures",
            "{attempt}",
            "Failed attempts to move a message to its error queue or skipped queue."
        );
    }

    internal void RunsAlone(string step) => _suspects.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void Poisonous(string step) => _poisonous.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void CannotDeadLetter(string step) =>
        _cannotDeadLetter.Add(1, new KeyValuePair<string, object?>("step", step));
}
