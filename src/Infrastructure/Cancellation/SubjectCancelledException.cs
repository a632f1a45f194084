namespace Orders.Infrastructure.Cancellation;

/// <summary>
/// Thrown by a step that sees that its subject was cancelled before it has done anything: the step ends as Cancelled. No fault: not repeated, not parked.
/// </summary>
public sealed class SubjectCancelledException(Guid subjectId) : Exception($"{subjectId} was cancelled; the step is left out.");
