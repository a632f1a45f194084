using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Steps.Endpoints;

namespace QueueWorkers.FlowControl.Gates;

/// <summary>How wide a step's gate is.</summary>
/// <param name="Limit">Runs at a time in this process; 0 when the gate is closed.</param>
/// <param name="ClosedBecause">Why it is closed; null while it is open.</param>
/// <param name="RetryAt">When a message that meets it closed should come again; null for soon: it then waits in the
/// queue.</param>
internal readonly record struct GateSetting(int Limit, string? ClosedBecause = null, DateTimeOffset? RetryAt = null)
{
    /// <summary>Derives the setting of a step from what the last poll saw.</summary>
    /// <param name="step">The step and its limits.</param>
    /// <param name="dependency">Its dependency here; null when it has none.</param>
    /// <param name="state">What the poll saw.</param>
    /// <param name="isNew">Whether this process is so young that others may not know of it yet: it takes no share of a
    /// common limit then, for they would still use theirs.</param>
    public static GateSetting Of(GatedStep step, DependencyHealth? dependency, ControlState state, bool isNew)
    {
        if (state.Drain is { } drain)
            return new GateSetting(0, $"this worker is drained by {drain.By}: {drain.Reason}");
        var limit = step.Concurrency;
        if (state.Steps.TryGetValue(step.Name, out var control))
        {
            if (control.Paused)
                return new GateSetting(0, $"'{step.Name}' is paused by {control.ChangedBy}: {control.Reason}");
            limit = Math.Clamp(control.ReplicaLimit ?? limit, 1, step.MaxConcurrency);
            if (control.TotalLimit is { } total)
                limit = Math.Min(limit, isNew ? 0 : ShareOf(total, state.Replicas.GetValueOrDefault(step.Name)));
            if (limit == 0)
                return new GateSetting(
                    0,
                    $"this replica has no share of the {control.TotalLimit} runs at a time that '{step.Name}' has over all replicas"
                );
        }

        return dependency?.State switch
        {
            null or BreakerState.Closed => new GateSetting(limit),
            BreakerState.HalfOpen when dependency.IsMyTrial => new GateSetting(1),
            BreakerState.HalfOpen => new GateSetting(
                0,
                $"another replica is trying whether '{dependency.Name}' works again",
                dependency.RetryAt
            ),
            _ => new GateSetting(0, $"'{dependency.Name}' is down: {dependency.Reason}", dependency.RetryAt),
        };
    }

    // The first of the replicas, in the order of their ids, take one more where the limit does not divide evenly: the
    // shares add up to the limit exactly.
    private static int ShareOf(int total, (int Count, int Rank) replicas) =>
        replicas.Count == 0 ? 0 : (total / replicas.Count) + (replicas.Rank < total % replicas.Count ? 1 : 0);
}
