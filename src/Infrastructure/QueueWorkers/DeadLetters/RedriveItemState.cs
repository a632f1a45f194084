namespace QueueWorkers.DeadLetters;

/// <summary>What came of one message of a redrive. Stored as its number.</summary>
public enum RedriveItemState : short
{
    /// <summary>Not sent yet.</summary>
    Waiting = 1,

    /// <summary>Sent; not known yet what came of it.</summary>
    Sent = 2,

    /// <summary>Its work is done.</summary>
    Done = 3,

    /// <summary>It failed again and is dead-lettered again.</summary>
    FailedAgain = 4,

    /// <summary>
    /// Not sent, for the reason in its note: it was done already, its subject is cancelled, its payload does not fit,
    /// the redrive was cancelled.
    /// </summary>
    Skipped = 5,
}
