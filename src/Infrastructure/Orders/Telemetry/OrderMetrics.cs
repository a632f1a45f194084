using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace Orders.Infrastructure.Telemetry;

/// <summary>
/// Counts what becomes of orders, each after the commit that brings it. A process that dies between a commit and its
/// count leaves the count one lower; a commit that is repeated counts once.
/// </summary>
public sealed class OrderMetrics : IZeroedMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string Name = "Orders";

    private readonly Counter<long> _accepted;
    private readonly Counter<long> _repeated;
    private readonly Counter<long> _completed;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _cancelled;

    /// <summary>Creates the instruments.</summary>
    public OrderMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _accepted = meter.CreateCounter<long>(
            "orders.accepted",
            "{order}",
            "Orders that were stored, by class (high for premium orders). Counted by the API."
        );
        _repeated = meter.CreateCounter<long>(
            "orders.repeated",
            "{request}",
            "Posts that were answered with an earlier order, because of their Idempotency-Key. Counted by the API."
        );
        _completed = meter.CreateCounter<long>(
            "orders.completed",
            "{order}",
            "Orders whose last required step was done. Counted by the worker that did it, or by the dashboard when an operator settled it."
        );
        _rejected = meter.CreateCounter<long>(
            "orders.rejected",
            "{order}",
            "Orders that a step refused. Counted by the worker that did it."
        );
        _cancelled = meter.CreateCounter<long>(
            "orders.cancelled",
            "{order}",
            "Orders that were cancelled. Counted by the API or the dashboard."
        );
    }

    /// <inheritdoc />
    public void Zero()
    {
        _accepted.Add(0, new KeyValuePair<string, object?>("class", PriorityClass.Normal));
        _accepted.Add(0, new KeyValuePair<string, object?>("class", PriorityClass.High));
        _repeated.Add(0);
        _completed.Add(0);
        _rejected.Add(0);
        _cancelled.Add(0);
    }

    internal void Accepted(bool premium) =>
        _accepted.Add(
            1,
            new KeyValuePair<string, object?>("class", premium ? PriorityClass.High : PriorityClass.Normal)
        );

    internal void Repeated() => _repeated.Add(1);

    internal void Completed() => _completed.Add(1);

    internal void Rejected() => _rejected.Add(1);

    internal void Cancelled() => _cancelled.Add(1);
}
