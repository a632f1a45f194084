namespace QueueWorkers.Steps.Faults;

/// <summary>
/// Thrown by a step that sees that its subject was cancelled before it has done anything: the step ends as Cancelled.
/// No fault: not repeated, not dead-lettered.
/// </summary>
public sealed class SubjectCancelledException(Guid subjectId)
    : Exception($"{subjectId} was cancelled; the step is skipped.");
