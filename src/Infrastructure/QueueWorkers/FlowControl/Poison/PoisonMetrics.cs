using System.Diagnostics.Metrics;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Telemetry;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>Counts suspects, killers, and messages that could not be dead-lettered.</summary>
public sealed class PoisonMetrics : IZeroedMetrics
{
    private readonly StepGates? _gates;
    private readonly Counter<long> _suspects;
    private readonly Counter<long> _poisonous;
    private readonly Counter<long> _cannotDeadLetter;

    /// <summary>Creates the instruments.</summary>
    /// <param name="meters">Where.</param>
    /// <param name="gates">The steps of the process; null where none is known.</param>
    public PoisonMetrics(IMeterFactory meters, StepGates? gates = null)
    {
        _gates = gates;
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

    /// <inheritdoc />
    public void Zero()
    {
        foreach (var gate in _gates?.All ?? [])
        {
            var step = new KeyValuePair<string, object?>("step", gate.Step.Name);
            _suspects.Add(0, step);
            _poisonous.Add(0, step);
            _cannotDeadLetter.Add(0, step);
        }
    }

    internal void RunsAlone(string step) => _suspects.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void Poisonous(string step) => _poisonous.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void CannotDeadLetter(string step) =>
        _cannotDeadLetter.Add(1, new KeyValuePair<string, object?>("step", step));
}
