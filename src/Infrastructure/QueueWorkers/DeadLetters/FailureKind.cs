namespace QueueWorkers.DeadLetters;

/// <summary>How a message came to be dead-lettered. Stored as its number.</summary>
public enum FailureKind : short
{
    /// <summary>A step gave it up, or could not even read it: <c>&lt;step&gt;_error</c>.</summary>
    Error = 1,

    /// <summary>The step does not know its type: <c>&lt;step&gt;_skipped</c>.</summary>
    Skipped = 2,

    /// <summary>No queue took it: <c>unrouted</c>.</summary>
    Unrouted = 3,

    /// <summary>The broker rejected the message: a quarantined row of the outbox.</summary>
    Quarantined = 4,
}
