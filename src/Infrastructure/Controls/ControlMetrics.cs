using System.Diagnostics.Metrics;
using Orders.Infrastructure.Telemetry;

namespace Orders.Infrastructure.Controls;

/// <summary>Shows the budget of database connections, as the last poll saw it.</summary>
public sealed class ControlMetrics
{
    private ConnectionBudget? _budget;

    /// <summary>Creates the instruments.</summary>
    public ControlMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(OrdersTelemetry.Name);
        meter.CreateObservableGauge("orders.database.connections.budget", () => Of(b => b.Bounds), "{connection}", "The most database connections that all living worker processes may open together.");
        meter.CreateObservableGauge("orders.database.connections.limit", () => Of(b => b.Limit), "{connection}", "The connections that PostgreSQL gives to anybody but a superuser.");
        meter.CreateObservableGauge("orders.workers.living", () => Of(b => b.Processes), "{process}", "Worker processes that have reported themselves lately.");
    }

    internal ConnectionBudget? Budget
    {
        set => Volatile.Write(ref _budget, value);
    }

    private IEnumerable<Measurement<int>> Of(Func<ConnectionBudget, int> value) => Volatile.Read(ref _budget) is { } budget ? [new Measurement<int>(value(budget))] : [];
}
