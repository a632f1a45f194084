namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>What a look at a queue found and did.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="InQueue">Messages it held.</param>
/// <param name="Added">Messages that were not indexed, and are now.</param>
/// <param name="Removed">Messages taken out, because they were sent again or archived.</param>
/// <param name="Closed">Rows closed because their message is not there any more.</param>
/// <param name="PutBack">Restored messages that were put back.</param>
/// <param name="Complete">Whether all of the queue was seen.</param>
public sealed record ReconcileResult(
    string Queue,
    int InQueue,
    int Added,
    int Removed,
    int Closed,
    int PutBack,
    bool Complete
)
{
    /// <summary>Whether it changed anything.</summary>
    public bool Changed => Added + Removed + Closed + PutBack > 0;
}
