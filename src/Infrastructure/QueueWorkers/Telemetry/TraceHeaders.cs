using System.Diagnostics;

namespace QueueWorkers.Telemetry;

/// <summary>The headers that carry a trace with a message.</summary>
public static class TraceHeaders
{
    /// <summary>
    /// The context in which the message was created, as a W3C trace parent. MassTransit looks for it under this name.
    /// It stays the same over retries, redeliveries, deferrals and redrives.
    /// </summary>
    public const string Parent = "MT-Activity-Id";

    /// <summary>The same in a message of a publisher that does not use MassTransit.</summary>
    public const string ForeignParent = "traceparent";

    /// <summary>The W3C trace state that belongs to the trace parent.</summary>
    public const string State = "tracestate";

    /// <summary>The context of the last attempt, to which the next one is linked.</summary>
    public const string LastAttempt = "Trace-Last-Attempt";

    /// <summary>The context that headers of a received message say.</summary>
    public static bool TryParse(string? parent, string? state, out ActivityContext context) =>
        ActivityContext.TryParse(parent, state, isRemote: true, out context);

    /// <summary>The context that the headers of an outbox row say. The row's JSON is searched and not parsed.</summary>
    /// <param name="headers">A JSON object of plain values.</param>
    /// <param name="context">The context.</param>
    public static bool TryRead(string headers, out ActivityContext context)
    {
        var parent = ValueOf(headers, $"\"{Parent}\"") ?? ValueOf(headers, $"\"{ForeignParent}\"");
        return TryParse(parent, parent is null ? null : ValueOf(headers, $"\"{State}\""), out context);
    }

    private static string? ValueOf(string json, string name)
    {
        var at = json.IndexOf(name, StringComparison.Ordinal);
        if (at < 0)
            return null;
        var from = json.IndexOf('"', at + name.Length) + 1;
        var to = from > 0 ? json.IndexOf('"', from) : -1;
        return to > from ? json[from..to] : null;
    }
}
