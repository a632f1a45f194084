using System.Diagnostics;

namespace Orders.Testing.Tracing;

/// <summary>A span as somebody outside has got it: an exporter, or a receiver of OTLP.</summary>
/// <param name="TraceId">32 hexadecimal digits.</param>
/// <param name="SpanId">16 hexadecimal digits.</param>
/// <param name="ParentId">The same; empty for a root.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="IsError">Whether it says that it has failed.</param>
/// <param name="Tags">Its attributes as text.</param>
/// <param name="Links">The spans it is linked to.</param>
/// <param name="Process">Who sent it; empty where that is not known.</param>
public sealed record SeenSpan(
    string TraceId,
    string SpanId,
    string ParentId,
    string Name,
    ActivityKind Kind,
    DateTimeOffset StartedAt,
    bool IsError,
    IReadOnlyDictionary<string, string> Tags,
    IReadOnlyList<(string TraceId, string SpanId)> Links,
    string Process
)
{
    /// <summary>An attribute; empty when it has none of this name.</summary>
    public string this[string tag] => Tags.GetValueOrDefault(tag, "");

    /// <summary>The span of an activity.</summary>
    public static SeenSpan Of(Activity activity) =>
        new(
            activity.TraceId.ToString(),
            activity.SpanId.ToString(),
            activity.ParentSpanId == default ? "" : activity.ParentSpanId.ToString(),
            activity.DisplayName,
            activity.Kind,
            activity.StartTimeUtc,
            activity.Status == ActivityStatusCode.Error,
            activity.TagObjects.ToDictionary(t => t.Key, t => $"{t.Value}"),
            [.. activity.Links.Select(l => (l.Context.TraceId.ToString(), l.Context.SpanId.ToString()))],
            ""
        );
}
