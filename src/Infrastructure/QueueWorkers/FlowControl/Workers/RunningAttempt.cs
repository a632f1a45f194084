namespace QueueWorkers.FlowControl.Workers;

/// <summary>A run that was under way when its process last reported itself.</summary>
/// <param name="Step">The step.</param>
/// <param name="MessageId">The original message id.</param>
/// <param name="SubjectId">What it works on.</param>
/// <param name="Attempt">1 for the first run on the message.</param>
/// <param name="Since">When it began.</param>
public sealed record RunningAttempt(string Step, Guid MessageId, Guid SubjectId, int Attempt, DateTimeOffset Since);
