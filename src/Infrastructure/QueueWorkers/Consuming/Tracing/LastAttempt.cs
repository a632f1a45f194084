using System.Diagnostics;
using MassTransit;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.Tracing;

/// <summary>
/// Which attempt on a message was the last: the next one is linked to it. Retries find it at the delivery;
/// redeliveries, deferrals and redrives in a header (<see cref="TraceHeaders.LastAttempt"/>).
/// </summary>
internal sealed class LastAttempt
{
    private ActivityContext _context;

    /// <summary>Remembers an attempt that is sampled.</summary>
    public static void Note(ConsumeContext context, ActivityContext attempt) =>
        context.ReceiveContext.GetOrAddPayload(static () => new LastAttempt())._context = attempt;

    /// <summary>The last attempt on the message; default when it had none, or nobody samples it.</summary>
    public static ActivityContext Of(ConsumeContext context) =>
        context.ReceiveContext.TryGetPayload<LastAttempt>(out var last) ? last._context
        : TraceHeaders.TryParse(HeaderOf(context, TraceHeaders.LastAttempt), null, out var earlier) ? earlier
        : default;

    /// <summary>
    /// The headers of a message that goes back into the outbox: they take the place of those it was received with.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, object?>> Notes(ConsumeContext context) =>
        HeaderOf(context.ReceiveContext) is { } attempt ? [new(TraceHeaders.LastAttempt, attempt)] : [];

    /// <summary>The header of this delivery's last attempt; null when it had none, or nobody samples it.</summary>
    public static string? HeaderOf(ReceiveContext context) =>
        context.TryGetPayload<LastAttempt>(out var last)
            ? $"00-{last._context.TraceId}-{last._context.SpanId}-{(int)last._context.TraceFlags:x2}"
            : null;

    /// <summary>A header of a received message; null when there is none, or it is no text.</summary>
    public static string? HeaderOf(ConsumeContext context, string name) =>
        context.ReceiveContext.TransportHeaders.TryGetHeader(name, out var value) ? value as string : null;
}
