using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>Tells all replicas how a dependency does.</summary>
internal interface IBreakerReports
{
    /// <summary>
    /// Waits until the failures of this moment have been reported and judged; returns also when the database is away.
    /// </summary>
    Task JudgeAsync(CancellationToken cancellationToken);

    /// <summary>The trial message got through: the breaker closes.</summary>
    Task TrialSucceededAsync(Dependency dependency, CancellationToken cancellationToken);

    /// <summary>The trial message did not: the breaker stays open, longer than before.</summary>
    Task TrialFailedAsync(Dependency dependency, string fault, CancellationToken cancellationToken);
}
