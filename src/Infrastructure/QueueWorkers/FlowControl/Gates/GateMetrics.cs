using System.Diagnostics.Metrics;
using QueueWorkers.FlowControl.CircuitBreakers;

namespace QueueWorkers.FlowControl.Gates;

/// <summary>
/// Shows the gates of this process and what they depend on, read when somebody asks: a run pays nothing for it.
/// </summary>
internal static class GateMetrics
{
    private static readonly (BreakerState State, string Name)[] States =
    [
        (BreakerState.Closed, "closed"),
        (BreakerState.Open, "open"),
        (BreakerState.HalfOpen, "half-open"),
    ];

    /// <summary>Creates the instruments.</summary>
    public static void AddTo(Meter meter, StepGates gates)
    {
        meter.CreateObservableGauge(
            "queueworkers.step.running",
            () => gates.All.Select(g => new Measurement<int>(g.Running, [new("step", g.Step.Name)])),
            "{run}",
            "Runs that are under way in this process."
        );
        meter.CreateObservableGauge(
            "queueworkers.step.limit",
            () => gates.All.Select(g => new Measurement<int>(g.Limit, [new("step", g.Step.Name)])),
            "{run}",
            "Runs that may be under way in this process; 0 while the step is paused, drained or waits for a dependency."
        );
        meter.CreateObservableGauge(
            "queueworkers.permits.waiting",
            () => gates.All.Select(g => new Measurement<int>(g.AwaitingPermits, [new("step", g.Step.Name)])),
            "{message}",
            "Messages that wait in this process for a permit of a rate limit."
        );
        meter.CreateObservableCounter(
            "queueworkers.permits.granted",
            () => gates.All.Select(g => new Measurement<long>(g.GrantedPermits, [new("step", g.Step.Name)])),
            "{permit}",
            "Runs that a rate limit has let in. A message that it sends away is in `queueworkers.step.deferred`."
        );
        meter.CreateObservableGauge(
            "queueworkers.breaker.state",
            () =>
                gates.Dependencies.SelectMany(d =>
                    States.Select(s => new Measurement<int>(
                        s.State == d.State ? 1 : 0,
                        [new("dependency", d.Name), new("state", s.Name)]
                    ))
                ),
            "{breaker}",
            "1 for the state that the breaker has (closed, open or half-open), 0 for the others. All processes show the same."
        );
        meter.CreateObservableGauge(
            "queueworkers.retry_budget.limit",
            () => gates.Dependencies.Select(d => new Measurement<int>(d.RetryWindow, [new("dependency", d.Name)])),
            "{run}",
            "Repeated runs of this process that may call the dependency at a time. Failures halve it."
        );
        meter.CreateObservableGauge(
            "queueworkers.retry_budget.used",
            () => gates.Dependencies.Select(d => new Measurement<int>(d.RetriesRunning, [new("dependency", d.Name)])),
            "{run}",
            "Repeated runs of this process that call the dependency now."
        );
    }
}
