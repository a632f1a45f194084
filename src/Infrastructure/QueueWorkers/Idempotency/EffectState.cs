namespace QueueWorkers.Idempotency;

/// <summary>Where an effect stands. Stored as its number.</summary>
public enum EffectState : short
{
    /// <summary>
    /// Published before an outside system was called; whether that call happened is known only to the run that holds
    /// the lease.
    /// </summary>
    Pending = 1,

    /// <summary>Done; it never happens again.</summary>
    Done = 2,

    /// <summary>
    /// A run died between the outside system's answer and its own commit. Not repeated by itself: an operator decides.
    /// </summary>
    Uncertain = 3,

    /// <summary>
    /// Uncertain until an operator looked and said that it had not happened: the next run may begin it.
    /// </summary>
    DidNotHappen = 4,
}
