using System.Diagnostics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Outbox.Relaying.Publishing;

/// <summary>
/// Spans of one batch on its way to the broker, from the first publish to the last confirm. Only messages whose trace
/// is sampled have one.
/// </summary>
internal sealed class SendSpans
{
    private readonly Activity?[] _spans;

    private SendSpans(Activity?[] spans) => _spans = spans;

    /// <summary>Begins them; null when nobody listens, or none of the messages is sampled.</summary>
    public static SendSpans? Begin(IReadOnlyList<OutboxMessage> messages)
    {
        if (!QueueWorkersTelemetry.Source.HasListeners())
            return null;
        Activity?[]? spans = null;
        var current = Activity.Current;
        for (var i = 0; i < messages.Count; i++)
        {
            if (
                !TraceHeaders.TryRead(messages[i].Headers, out var created)
                || !created.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
            )
                continue;
            (spans ??= new Activity?[messages.Count])[i] = Begin(messages[i], created);
            // They lie beside each other.
            Activity.Current = current;
        }

        return spans is null ? null : new SendSpans(spans);
    }

    /// <summary>Ends them, each with what became of its message.</summary>
    public void End(IReadOnlyList<PublishOutcome> outcomes)
    {
        for (var i = 0; i < _spans.Length; i++)
        {
            if (_spans[i] is not { } span)
                continue;
            if (outcomes[i].Status is not PublishStatus.Confirmed)
                MessageSpans.Fail(span, NameOf(outcomes[i].Status), outcomes[i].Error);
            span.Dispose();
        }
    }

    private static Activity? Begin(OutboxMessage message, ActivityContext created)
    {
        var destination = message.Exchange.Length > 0 ? message.Exchange : message.RoutingKey;
        var span = QueueWorkersTelemetry.Source.StartActivity($"send {destination}", ActivityKind.Client, created);
        if (span is not { IsAllDataRequested: true })
            return span;
        MessageSpans.Describe(span, "send", destination, message.MessageId, message.CorrelationId);
        span.SetTag("messaging.message.body.size", message.Body.Length);
        if (message.RoutingKey.Length > 0)
            span.SetTag("messaging.rabbitmq.destination.routing_key", message.RoutingKey);
        return span;
    }

    private static string NameOf(PublishStatus status) =>
        status switch
        {
            PublishStatus.Refused => "refused",
            PublishStatus.Full => "full",
            PublishStatus.Silent => "not_confirmed",
            _ => "not_sent",
        };
}
