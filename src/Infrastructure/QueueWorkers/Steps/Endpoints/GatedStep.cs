namespace QueueWorkers.Steps.Endpoints;

/// <summary>What the controls need to know of a step.</summary>
/// <param name="Name">The step.</param>
/// <param name="Concurrency">Runs at a time in a replica, as its policy says.</param>
/// <param name="MaxConcurrency">How far an operator may raise that.</param>
/// <param name="DependsOn">Its dependency; null when it has none.</param>
/// <param name="Rates">Its rate limits.</param>
public sealed record GatedStep(
    string Name,
    int Concurrency,
    int MaxConcurrency,
    Dependency? DependsOn,
    IReadOnlyList<RateLimit> Rates
);
