namespace Orders.Infrastructure.Topology;

/// <summary>Something wrong with a queue, or that was wrong a moment ago.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Says">What was found and what was done about it, in a sentence or two.</param>
/// <param name="IsOpen">Whether it is still so.</param>
public sealed record TopologyFinding(string Queue, string Says, bool IsOpen);
