namespace QueueWorkers.DeadLetters;

/// <summary>
/// Where a failure stands. Stored as its number. The message is in its queue while the failure is dead-lettered, and is
/// taken out of it in every other state.
/// </summary>
public enum FailureState : short
{
    /// <summary>It waits for an operator.</summary>
    Failed = 1,

    /// <summary>It was sent again; what came of it is not known yet.</summary>
    Redriving = 2,

    /// <summary>Its work is done.</summary>
    Redriven = 3,

    /// <summary>
    /// It was sent again and failed again: the next generation of the same message stands in the index.
    /// </summary>
    FailedAgain = 4,

    /// <summary>An operator put it away; it can be restored for a while.</summary>
    Archived = 5,

    /// <summary>
    /// Its message is not in its queue any more, and nobody sent it again through us: purged or moved by hand.
    /// </summary>
    Gone = 6,
}
