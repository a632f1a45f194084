using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Poison;

/// <summary>Log events about messages that kill or circle, 4350–4369.</summary>
internal static partial class PoisonLog
{
    [LoggerMessage(4350, LogLevel.Warning, "{Step} runs message {MessageId} alone: {Lost} deliveries of it were lost with their process or connection")]
    public static partial void RunsAlone(ILogger logger, string step, Guid messageId, long lost);

    [LoggerMessage(4351, LogLevel.Error, "{Step} parks message {MessageId} without another run: {Deaths} processes died while they ran nothing else")]
    public static partial void Poisonous(ILogger logger, string step, Guid messageId, int deaths);

    [LoggerMessage(4352, LogLevel.Warning, "The mark of suspect {MessageId} of {Step} could not be removed ({Reason}); its next delivery counts as if this process had died")]
    public static partial void MarkStays(ILogger logger, string step, Guid messageId, string reason);

    [LoggerMessage(4360, LogLevel.Critical, "ALERT: {Queue} cannot be written ({Reason}), so a message of '{Step}' cannot be parked and circles; it is held to one attempt a second until the queue takes it")]
    public static partial void CannotPark(ILogger logger, string step, string queue, string reason);

    [LoggerMessage(4361, LogLevel.Information, "{Queue} takes messages of '{Step}' again")]
    public static partial void CanPark(ILogger logger, string step, string queue);
}
