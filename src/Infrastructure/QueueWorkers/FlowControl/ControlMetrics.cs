using System.Diagnostics.Metrics;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Telemetry;

namespace QueueWorkers.FlowControl;

/// <summary>Shows the gates of the process, and the budget of database connections as the last poll saw it.</summary>
public sealed class ControlMetrics
{
    private ConnectionBudget? _budget;

    /// <summary>Creates the instruments.</summary>
    public ControlMetrics(IMeterFactory meters, StepGates gates)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        GateMetrics.AddTo(meter, gates);
        meter.CreateObservableGauge(
            "queueworkers.database.connections.budget",
            () => Of(b => b.Bounds),
            "{connection}",
            "Most database connections that all running worker processes may open together."
        );
        meter.CreateObservableGauge(
            "queueworkers.database.connections.limit",
            () => Of(b => b.Limit),
            "{connection}",
            "Connections that PostgreSQL allows to logins that are no superusers."
        );
        meter.CreateObservableGauge(
            "queueworkers.workers.living",
            () => Of(b => b.Processes),
            "{process}",
            "Worker processes that run, by their last reports."
        );
    }

    internal ConnectionBudget? Budget
    {
        set => Volatile.Write(ref _budget, value);
    }

    private IEnumerable<Measurement<int>> Of(Func<ConnectionBudget, int> value) =>
        Volatile.Read(ref _budget) is { } budget ? [new Measurement<int>(value(budget))] : [];
}
