namespace QueueWorkers.Steps;

/// <summary>Where a step of a subject stands. Stored as its number; shown by its name.</summary>
public enum StepStatus : short
{
    /// <summary>Not begun.</summary>
    Waiting = 0,

    /// <summary>An attempt that calls the outside world is under way.</summary>
    Running = 1,

    /// <summary>Done.</summary>
    Done = 2,

    /// <summary>An attempt failed; another follows by itself.</summary>
    Retrying = 3,

    /// <summary>
    /// The attempts are used up, or the fault is permanent: the message stands in the step's <c>_error</c> queue.
    /// </summary>
    Failed = 4,

    /// <summary>
    /// A run died between the outside system's answer and its own commit; dead-lettered, because repeating might do the
    /// effect twice.
    /// </summary>
    Uncertain = 5,

    /// <summary>Not needed any more.</summary>
    Skipped = 6,

    /// <summary>Refused for a business reason.</summary>
    Rejected = 7,

    /// <summary>Not started in time.</summary>
    Expired = 8,

    /// <summary>Cancelled before it was done.</summary>
    Cancelled = 9,
}
