namespace QueueWorkers.DeadLetters.Search;

/// <summary>A failure in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Kind">How it came to be dead-lettered.</param>
/// <param name="Queue">Where it stands.</param>
/// <param name="Step">The step.</param>
/// <param name="MessageType">The message's type.</param>
/// <param name="SubjectId">What it is about.</param>
/// <param name="FaultType">The exception's type.</param>
/// <param name="FaultMessage">The exception's message.</param>
/// <param name="Fingerprint">Its group.</param>
/// <param name="Attempts">Attempts made.</param>
/// <param name="Generation">How often it had been redriven.</param>
/// <param name="FirstAt">When it first failed for good.</param>
/// <param name="LastAt">When it was dead-lettered here.</param>
/// <param name="Build">The version that gave it up.</param>
/// <param name="Host">On which machine.</param>
/// <param name="RedriveId">The latest redrive it was part of.</param>
/// <param name="Note">How it came to its state.</param>
public sealed record FoundFailure(
    Guid Id,
    FailureState State,
    FailureKind Kind,
    string Queue,
    string? Step,
    string? MessageType,
    Guid? SubjectId,
    string FaultType,
    string FaultMessage,
    string Fingerprint,
    int Attempts,
    int Generation,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    string? Build,
    string? Host,
    Guid? RedriveId,
    string? Note
);

/// <summary>A page of failures, the newest first.</summary>
/// <param name="Failures">The failures.</param>
/// <param name="Next">The cursor of the next page; null when this is the last.</param>
/// <param name="Total">How many match, counted up to 200.</param>
/// <param name="TotalIsMore">Whether there are more than were counted.</param>
public sealed record FailurePage(IReadOnlyList<FoundFailure> Failures, Guid? Next, int Total, bool TotalIsMore);

/// <summary>Failures of one cause.</summary>
/// <param name="Fingerprint">The group.</param>
/// <param name="Step">The step.</param>
/// <param name="FaultType">The exception's type.</param>
/// <param name="FaultMessage">The message of the newest.</param>
/// <param name="Count">How many.</param>
/// <param name="Subjects">How many different subjects.</param>
/// <param name="FirstAt">When the first failed.</param>
/// <param name="LastAt">When the last was dead-lettered.</param>
/// <param name="Newest">The newest failure.</param>
public sealed record FailureGroup(
    string Fingerprint,
    string? Step,
    string FaultType,
    string FaultMessage,
    long Count,
    long Subjects,
    DateTimeOffset FirstAt,
    DateTimeOffset LastAt,
    Guid Newest
);
