using Microsoft.Extensions.Logging;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>Log events about messages that kill or circle, 4350–4369.</summary>
internal static partial class PoisonLog
{
    [LoggerMessage(
        4350,
        LogLevel.Warning,
        "Message was isolated: {Step}, message {MessageId}, {Lost} deliveries were lost with their process or connection"
    )]
    public static partial void RunsAlone(ILogger logger, string step, Guid messageId, long lost);

    [LoggerMessage(
        4351,
        LogLevel.Error,
        "Message was dead-lettered without another run: {Step}, message {MessageId}, {Deaths} processes crashed while they ran nothing else"
    )]
    public static partial void Poisonous(ILogger logger, string step, Guid messageId, int deaths);

    [LoggerMessage(
        4352,
        LogLevel.Warning,
        "Removing the mark of a suspect message failed; its next delivery counts as a crash of this process: {Step}, message {MessageId}. {Reason}"
    )]
    public static partial void MarkStays(ILogger logger, string step, Guid messageId, string reason);

    [LoggerMessage(
        4354,
        LogLevel.Information,
        "Copy of a message that was dead-lettered as a killer was dropped: {Step}, message {MessageId}"
    )]
    public static partial void CopyDropped(ILogger logger, string step, Guid messageId);

    [LoggerMessage(
        4355,
        LogLevel.Warning,
        "Recording a dead-lettered killer failed; a copy of it may be dead-lettered, too: {Step}, message {MessageId}. {Reason}"
    )]
    public static partial void DeadLetterNotNoted(ILogger logger, string step, Guid messageId, string reason);

    [LoggerMessage(
        4360,
        LogLevel.Critical,
        "ALERT: a message could not be dead-lettered, it is tried once a second until the queue takes it: {Step}, {Queue}. {Reason}"
    )]
    public static partial void CannotDeadLetter(ILogger logger, string step, string queue, string reason);

    [LoggerMessage(4361, LogLevel.Information, "Dead-letter queue took messages again: {Step}, {Queue}")]
    public static partial void CanDeadLetter(ILogger logger, string step, string queue);
}
