using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Steps;

/// <summary>Log events of steps, 2000–2099. Each carries the step, what it works on and the original message id.</summary>
internal static partial class StepLog
{
    [LoggerMessage(2000, LogLevel.Warning, "{Step} of {SubjectId} failed (message {MessageId}, attempt {Attempt}, next attempt in {NextAttempt})")]
    public static partial void AttemptFailed(ILogger logger, string step, Guid subjectId, Guid messageId, int attempt, TimeSpan? nextAttempt, Exception fault);

    [LoggerMessage(2001, LogLevel.Information, "{Step} of {SubjectId} is put back into the outbox (message {MessageId}): {Reason}")]
    public static partial void Postponed(ILogger logger, string step, Guid subjectId, Guid messageId, string reason);

    [LoggerMessage(2002, LogLevel.Error, "{Step} of {SubjectId} ignored its token (message {MessageId}, attempt {Attempt}, time limit {Limit}) and was left to itself: {Where}")]
    public static partial void Abandoned(ILogger logger, string step, Guid subjectId, Guid messageId, int attempt, TimeSpan limit, string where);

    [LoggerMessage(2003, LogLevel.Warning, "{Step} of {SubjectId} (message {MessageId}), which had been left to itself, ended {Later} later: {How}. Nothing of it was written.")]
    public static partial void AbandonedEnded(ILogger logger, string step, Guid subjectId, Guid messageId, TimeSpan later, string how);

    [LoggerMessage(2004, LogLevel.Information, "{Step} of {SubjectId} is left out (message {MessageId}): {Reason}")]
    public static partial void LeftOut(ILogger logger, string step, Guid subjectId, Guid messageId, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "{Step} of {SubjectId} was not begun in time (message {MessageId}): it had until {Until:O}")]
    public static partial void Expired(ILogger logger, string step, Guid subjectId, Guid messageId, DateTimeOffset until);

    [LoggerMessage(2006, LogLevel.Error, "The subscription of '{Step}' could not follow its gate; it begins anew on another channel")]
    public static partial void SwitchFailed(ILogger logger, string step, Exception fault);

    [LoggerMessage(2007, LogLevel.Warning, "Messages of '{Step}' wait for the database without an attempt counted ({Count} since the last line). {Reason}")]
    public static partial void WaitsForDatabase(ILogger logger, string step, int count, string reason);

    [LoggerMessage(2008, LogLevel.Error, "The failure of {Step} of {SubjectId} could not be stored as it is (message {MessageId}); it is stored without its text")]
    public static partial void UnstorableFailure(ILogger logger, string step, Guid subjectId, Guid messageId, Exception reason);

    [LoggerMessage(2010, LogLevel.Error, "Step '{Step}' cannot consume: {Reason}")]
    public static partial void CannotConsume(ILogger logger, string step, string reason);

    [LoggerMessage(2011, LogLevel.Information, "Step '{Step}' consumes again")]
    public static partial void ConsumesAgain(ILogger logger, string step);

    [LoggerMessage(2012, LogLevel.Critical, "The process ends itself: step '{Step}' could not consume for {ExitAfter}: {Reason} Exit code {ExitCode}; nothing is lost, a new process takes over")]
    public static partial void EndsItself(ILogger logger, string step, TimeSpan exitAfter, string reason, int exitCode);
}
