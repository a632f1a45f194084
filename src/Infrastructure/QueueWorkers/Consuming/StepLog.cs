using Microsoft.Extensions.Logging;

namespace QueueWorkers.Consuming;

/// <summary>
/// Log events of steps, 2000–2099. Each carries the step, what it works on and the original message id.
/// </summary>
internal static partial class StepLog
{
    [LoggerMessage(
        2000,
        LogLevel.Warning,
        "Step failed: {Step} of {SubjectId}, message {MessageId}, attempt {Attempt}, next attempt in {NextAttempt}"
    )]
    public static partial void AttemptFailed(
        ILogger logger,
        string step,
        Guid subjectId,
        Guid messageId,
        int attempt,
        TimeSpan? nextAttempt,
        Exception fault
    );

    [LoggerMessage(
        2001,
        LogLevel.Information,
        "Step was deferred: {Step} of {SubjectId}, message {MessageId}. {Reason}"
    )]
    public static partial void Deferred(ILogger logger, string step, Guid subjectId, Guid messageId, string reason);

    [LoggerMessage(
        2002,
        LogLevel.Error,
        "Step ignored its cancellation token and was abandoned: {Step} of {SubjectId}, message {MessageId}, attempt {Attempt}, time limit {Limit}. {Where}"
    )]
    public static partial void Abandoned(
        ILogger logger,
        string step,
        Guid subjectId,
        Guid messageId,
        int attempt,
        TimeSpan limit,
        string where
    );

    [LoggerMessage(
        2003,
        LogLevel.Warning,
        "Abandoned step ended {Later} later, its late writes were discarded: {Step} of {SubjectId}, message {MessageId}. {How}"
    )]
    public static partial void AbandonedEnded(
        ILogger logger,
        string step,
        Guid subjectId,
        Guid messageId,
        TimeSpan later,
        string how
    );

    [LoggerMessage(
        2004,
        LogLevel.Information,
        "Step was skipped: {Step} of {SubjectId}, message {MessageId}. {Reason}"
    )]
    public static partial void LeftOut(ILogger logger, string step, Guid subjectId, Guid messageId, string reason);

    [LoggerMessage(
        2005,
        LogLevel.Warning,
        "Step exceeded its start deadline: {Step} of {SubjectId}, message {MessageId}, deadline {Until:O}"
    )]
    public static partial void Expired(
        ILogger logger,
        string step,
        Guid subjectId,
        Guid messageId,
        DateTimeOffset until
    );

    [LoggerMessage(
        2006,
        LogLevel.Error,
        "Subscription did not follow its gate and was opened again on another channel: {Step}"
    )]
    public static partial void SwitchFailed(ILogger logger, string step, Exception fault);

    [LoggerMessage(
        2007,
        LogLevel.Warning,
        "Messages waited for the database and consumed no attempt: {Step}, {Count} since the last line. {Reason}"
    )]
    public static partial void WaitsForDatabase(ILogger logger, string step, int count, string reason);

    [LoggerMessage(
        2008,
        LogLevel.Error,
        "Failure could not be stored as it is and was stored without its text: {Step} of {SubjectId}, message {MessageId}"
    )]
    public static partial void UnstorableFailure(
        ILogger logger,
        string step,
        Guid subjectId,
        Guid messageId,
        Exception reason
    );

    [LoggerMessage(2010, LogLevel.Error, "Step could not consume: {Step}. {Reason}")]
    public static partial void CannotConsume(ILogger logger, string step, string reason);

    [LoggerMessage(2011, LogLevel.Information, "Step consumed again: {Step}")]
    public static partial void ConsumesAgain(ILogger logger, string step);

    [LoggerMessage(
        2012,
        LogLevel.Critical,
        "Process ended itself because a step could not consume for {ExitAfter}: {Step}. {Reason} Exit code {ExitCode}; nothing is lost, a new process takes over"
    )]
    public static partial void EndsItself(ILogger logger, string step, TimeSpan exitAfter, string reason, int exitCode);

    [LoggerMessage(
        2013,
        LogLevel.Warning,
        "{Step} dead-lettered message {MessageId} unread: {Bytes} bytes, {Limit} allowed"
    )]
    public static partial void TooLarge(ILogger logger, string step, string messageId, int bytes, int limit);

    [LoggerMessage(
        2014,
        LogLevel.Error,
        "Large message could not be dead-lettered: {Step}, message {MessageId}. {Reason}"
    )]
    public static partial void CannotRefuse(ILogger logger, string step, string messageId, string reason);
}
