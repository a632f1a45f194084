using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;

namespace QueueWorkers.FlowControl;

/// <summary>What a poll saw.</summary>
/// <param name="Steps">What operators have set, by step.</param>
/// <param name="Breakers">The breakers, by dependency.</param>
/// <param name="Replicas">By step, how many living processes run it and how many of them come before this one.</param>
/// <param name="Troubled">Dependencies of which some replica has reported failures lately.</param>
/// <param name="Drain">Who wants this process to take nothing more; null when nobody does.</param>
internal sealed record ControlState(
    IReadOnlyDictionary<string, StepControl> Steps,
    IReadOnlyDictionary<string, Breaker> Breakers,
    IReadOnlyDictionary<string, (int Count, int Rank)> Replicas,
    IReadOnlySet<string> Troubled,
    WorkerDrain? Drain
)
{
    /// <summary>Connections of all worker processes.</summary>
    public required ConnectionBudget Budget { get; init; }

    /// <summary>Messages of the process's steps that may kill it, or were dead-lettered for it.</summary>
    public IReadOnlyList<(Guid MessageId, string Step)> Suspects { get; init; } = [];
}
