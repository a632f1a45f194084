namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>
/// Calls of a dependency by all replicas in a few seconds. Written only while some of them fail: a dependency that
/// works costs no row.
/// </summary>
public sealed class DependencyCalls
{
    /// <summary>The dependency.</summary>
    public string Dependency { get; init; } = "";

    /// <summary>The beginning of the slice of time.</summary>
    public DateTimeOffset Slice { get; init; }

    /// <summary>All calls.</summary>
    public int Calls { get; init; }

    /// <summary>Those that failed by the dependency's fault.</summary>
    public int Failures { get; init; }
}
