using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Steps;

/// <summary>Log events of steps, 2000–2099. Each carries the step, what it works on and the original message id.</summary>
internal static partial class StepLog
{
    [LoggerMessage(2000, LogLevel.Warning, "{Step} of {SubjectId} failed (message {MessageId}, attempt {Attempt}, next attempt in {NextAttempt})")]
    public static partial void AttemptFailed(ILogger logger, string step, Guid subjectId, Guid messageId, int attempt, TimeSpan? nextAttempt, Exception fault);

    [LoggerMessage(2001, LogLevel.Information, "{Step} of {SubjectId} is put back into the outbox (message {MessageId}): {Reason}")]
    public static partial void Postponed(ILogger logger, string step, Guid subjectId, Guid messageId, string reason);
}
