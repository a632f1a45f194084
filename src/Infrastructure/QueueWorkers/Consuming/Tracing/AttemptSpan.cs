using System.Diagnostics;
using MassTransit;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.Tracing;

/// <summary>
/// The span of one attempt: a child of the span that created the message, linked to the attempt before. What the step
/// does outside (SQL, SMTP, HTTP) lies below it.
/// Nobody listens: no span, and nothing is allocated. Somebody listens and the message is not sampled: a bare activity
/// carries that decision to everything below, without attributes.
/// </summary>
internal static class AttemptSpan
{
    private const string Outcome = "queueworkers.outcome";

    private static readonly KeyValuePair<string, object?>[] Before = [new("queueworkers.link", "previous attempt")];

    /// <summary>Begins it; null when nobody listens.</summary>
    public static Activity? Begin(ConsumeContext context, string step)
    {
        if (!QueueWorkersTelemetry.Source.HasListeners())
            return null;
        TraceHeaders.TryParse(
            LastAttempt.HeaderOf(context, TraceHeaders.Parent)
                ?? LastAttempt.HeaderOf(context, TraceHeaders.ForeignParent),
            LastAttempt.HeaderOf(context, TraceHeaders.State),
            out var created
        );
        var last = LastAttempt.Of(context);
        var span = QueueWorkersTelemetry.Source.StartActivity(
            $"process {step}",
            ActivityKind.Consumer,
            created,
            links: last.SpanId == default ? null : [new ActivityLink(last, new ActivityTagsCollection(Before))]
        );
        if (span is not { IsAllDataRequested: true })
            return span;
        if (span.Recorded)
            LastAttempt.Note(context, span.Context);
        MessageSpans.Describe(span, "process", step, context.MessageId, context.ConversationId?.ToString());
        span.SetTag("messaging.message.body.size", context.ReceiveContext.Body.Length);
        return span;
    }

    /// <summary>Says which run it is the span of.</summary>
    public static void Describe(Activity? span, StepRun run)
    {
        if (span is not { IsAllDataRequested: true })
            return;
        span.SetTag("queueworkers.step", run.Step);
        span.SetTag("queueworkers.subject.id", run.SubjectId.ToString());
        span.SetTag("queueworkers.message.id", run.MessageId.ToString());
        span.SetTag("queueworkers.attempt", run.Attempt);
    }

    /// <summary>Says what came of the attempt; the first one who says it knows best.</summary>
    public static void End(Activity? span, string outcome)
    {
        if (span is { IsAllDataRequested: true } && span.GetTagItem(Outcome) is null)
            span.SetTag(Outcome, outcome);
    }

    /// <summary>Says that the attempt has failed.</summary>
    public static void Fail(Activity? span, Exception fault)
    {
        if (span is not { IsAllDataRequested: true })
            return;
        End(span, "failed");
        MessageSpans.Fail(span, fault.GetType().FullName ?? fault.GetType().Name, PersonalText.Of(fault.Message));
    }
}
