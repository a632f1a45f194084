using System.Diagnostics;

namespace QueueWorkers.Telemetry;

/// <summary>
/// Spans of messages by OpenTelemetry's semantic conventions for messaging. A message is created when its row is
/// written, sent by a relay, and processed once per attempt; all of these are children of the span that creates it.
/// So no attempt is without a parent when a relay has died, and a message that is sent twice still has one trace.
/// </summary>
internal static class MessageSpans
{
    /// <summary>
    /// The trace parent that a new message carries. Sampled: that of its <c>create</c> span. Otherwise the parent's
    /// own, which says that nobody samples it. Null without a parent.
    /// </summary>
    public static string? Create(Activity? parent, string destination, Guid messageId, string? conversation)
    {
        if (parent is not { Recorded: true } || !QueueWorkersTelemetry.Source.HasListeners())
            return parent?.Id;
        using var created = QueueWorkersTelemetry.Source.StartActivity(
            $"create {destination}",
            ActivityKind.Producer,
            parent.Context
        );
        if (created is { IsAllDataRequested: true })
            Describe(created, "create", destination, messageId, conversation);
        return (created ?? parent).Id;
    }

    /// <summary>Sets the attributes that all spans of messages have.</summary>
    public static void Describe(
        Activity span,
        string operation,
        string destination,
        Guid? messageId,
        string? conversation
    )
    {
        span.SetTag("messaging.system", "rabbitmq");
        span.SetTag("messaging.operation.name", operation);
        span.SetTag("messaging.operation.type", operation);
        span.SetTag("messaging.destination.name", destination);
        if (messageId is { } id)
            span.SetTag("messaging.message.id", id.ToString());
        if (conversation is not null)
            span.SetTag("messaging.message.conversation_id", conversation);
    }

    /// <summary>Says that what the span is about has failed.</summary>
    public static void Fail(Activity span, string errorType, string? description)
    {
        span.SetTag("error.type", errorType);
        span.SetStatus(ActivityStatusCode.Error, description);
    }
}
