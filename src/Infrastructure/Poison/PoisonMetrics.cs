using System.Diagnostics.Metrics;
using Orders.Infrastructure.Telemetry;

namespace Orders.Infrastructure.Poison;

/// <summary>Counts suspects, killers, and messages that could not be parked.</summary>
public sealed class PoisonMetrics
{
    private readonly Counter<long> _suspects;
    private readonly Counter<long> _poisonous;
    private readonly Counter<long> _cannotPark;

    /// <summary>Creates the instruments.</summary>
    public PoisonMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(OrdersTelemetry.Name);
        _suspects = meter.CreateCounter<long>("orders.poison.suspects", "{run}", "Runs of messages that were alone in their process, because earlier deliveries were lost.");
        _poisonous = meter.CreateCounter<long>("orders.poison.parked", "{message}", "Messages parked because they kill their process.");
        _cannotPark = meter.CreateCounter<long>("orders.poison.unparkable", "{attempt}", "Failed attempts to move a message to its _error or _skipped queue.");
    }

    internal void RunsAlone(string step) => _suspects.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void Poisonous(string step) => _poisonous.Add(1, new KeyValuePair<string, object?>("step", step));

    internal void CannotPark(string step) => _cannotPark.Add(1, new KeyValuePair<string, object?>("step", step));
}
