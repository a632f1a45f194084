using System.Globalization;
using System.Text;

namespace Orders.Testing.Tracing;

/// <summary>The spans of one trace, as a tree.</summary>
public sealed class TraceTree
{
    private static readonly string[] Shown =
    [
        "queueworkers.attempt",
        "queueworkers.outcome",
        "messaging.destination.name",
        "http.response.status_code",
        "db.system.name",
        "error.type",
    ];

    private readonly ILookup<string, SeenSpan> _children;

    private TraceTree(IReadOnlyList<SeenSpan> spans)
    {
        Spans = spans;
        _children = spans.OrderBy(s => s.StartedAt).ToLookup(s => s.ParentId);
    }

    /// <summary>Its spans, by their beginning.</summary>
    public IReadOnlyList<SeenSpan> Spans { get; }

    /// <summary>Spans without a parent: one of a trace that is whole.</summary>
    public IReadOnlyList<SeenSpan> Roots => [.. _children[""]];

    /// <summary>Spans whose parent is not among the trace's.</summary>
    public IReadOnlyList<SeenSpan> Orphans =>
        [.. Spans.Where(s => s.ParentId != "" && Spans.All(p => p.SpanId != s.ParentId))];

    /// <summary>The trace that is about a subject; empty when there is none yet.</summary>
    /// <param name="all">All spans that came.</param>
    /// <param name="subject">An order, for example.</param>
    /// <exception cref="AssertionException">There are several.</exception>
    public static TraceTree About(IEnumerable<SeenSpan> all, Guid subject)
    {
        // One that came twice, because two exporters of a process heard of it, is one.
        SeenSpan[] spans = [.. all.DistinctBy(s => (s.TraceId, s.SpanId)).OrderBy(s => s.StartedAt)];
        string[] traces =
        [
            .. spans.Where(s => s["queueworkers.subject.id"] == subject.ToString()).Select(s => s.TraceId).Distinct(),
        ];
        Assert.That(traces, Has.Length.LessThan(2), $"traces about {subject}");
        return new TraceTree([.. spans.Where(s => traces.Contains(s.TraceId))]);
    }

    /// <summary>Spans of a name, by their beginning.</summary>
    public IReadOnlyList<SeenSpan> Named(string name) => [.. Spans.Where(s => s.Name == name)];

    /// <summary>The spans right below one.</summary>
    public IReadOnlyList<SeenSpan> Below(SeenSpan parent) => [.. _children[parent.SpanId]];

    /// <summary>The tree, a line a span.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var root in Roots.Concat(Orphans))
            Write(text, root, 0);
        return text.ToString();
    }

    private void Write(StringBuilder text, SeenSpan span, int depth)
    {
        var tags = Shown.Where(span.Tags.ContainsKey).Select(tag => $"{tag}={span[tag]}");
        text.Append(' ', depth * 2)
            .Append(CultureInfo.InvariantCulture, $"{span.Name} [{span.Kind}]{(span.IsError ? " ERROR" : "")}")
            .Append(CultureInfo.InvariantCulture, $" {string.Join(' ', tags)}")
            .Append(span.Process.Length > 0 ? $" ({span.Process})" : "")
            .Append(span.Links.Count > 0 ? $" → linked to {string.Join(", ", span.Links.Select(l => l.SpanId))}" : "")
            .Append(CultureInfo.InvariantCulture, $" #{span.SpanId}")
            .AppendLine();
        foreach (var child in Below(span))
            Write(text, child, depth + 1);
    }
}
