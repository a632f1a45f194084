namespace QueueWorkers.Completeness;

/// <summary>
/// A finding of the completeness check: a subject that was accepted and does not have each of its effects exactly once.
/// </summary>
public sealed class Gap
{
    /// <summary>What was accepted.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The effect, by default the step's name.</summary>
    public string Effect { get; init; } = "";

    /// <summary>What is wrong.</summary>
    public GapKind Kind { get; init; }

    /// <summary>A sentence for the operator: what was expected, what was found.</summary>
    public string Detail { get; init; } = "";

    /// <summary>
    /// True when nothing is under way that could still close the gap by itself: no retry planned, nothing
    /// dead-lettered.
    /// </summary>
    public bool Silent { get; init; }

    /// <summary>When it was found first.</summary>
    public DateTimeOffset FoundAt { get; init; }

    /// <summary>When it was seen last.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>When it was found closed; null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>When an operator asked for its message once more; null when nobody did.</summary>
    public DateTimeOffset? ReemitAskedAt { get; init; }

    /// <summary>Who asked.</summary>
    public string? ReemitAskedBy { get; init; }

    /// <summary>When its message was emitted again; null when it was not.</summary>
    public DateTimeOffset? ReemittedAt { get; init; }

    /// <summary>What came of it: the message, or why there is none.</summary>
    public string? ReemitResult { get; init; }
}

/// <summary>
/// A subject that has to be looked at again: it has a gap, or its deadline had not come when the check went by.
/// </summary>
public sealed class OpenSubject
{
    /// <summary>The subject.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>When to look.</summary>
    public DateTimeOffset CheckAt { get; init; }
}

/// <summary>
/// How far the check has come: everything before the mark was complete when it went by, or is among the
/// <see cref="OpenSubject"/>s.
/// </summary>
public sealed class CompletenessMark
{
    /// <summary>The kind of subject, such as <c>parcels</c>.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The last subject looked at, in the order of their ids, which is the order of time.</summary>
    public Guid Mark { get; init; }

    /// <summary>Subjects looked at so far.</summary>
    public long Checked { get; init; }

    /// <summary>When the mark was moved.</summary>
    public DateTimeOffset At { get; init; }
}
