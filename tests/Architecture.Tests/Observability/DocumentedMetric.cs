using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Observability;

/// <summary>A metric of the generated table of docs/telemetry.md, as Prometheus knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="IsAlwaysThere">Whether it has data from the start; without an event some have none.</param>
internal sealed partial record DocumentedMetric(string Name, IReadOnlySet<string> Labels, bool IsAlwaysThere)
{
    /// <summary>All of them; a histogram is three.</summary>
    public static IReadOnlyDictionary<string, DocumentedMetric> All { get; } =
        Row()
            .Matches(Repository.Read("docs/telemetry.md"))
            .SelectMany(Of)
            .ToDictionary(metric => metric.Name, StringComparer.Ordinal);

    private static IEnumerable<DocumentedMetric> Of(Match row)
    {
        var name = row.Groups["name"].Value;
        // Prometheus knows no dots.
        var labels = Label()
            .Matches(row.Groups["labels"].Value)
            .Select(m => m.Groups[1].Value.Replace('.', '_'))
            .ToHashSet(StringComparer.Ordinal);
        var always = row.Groups["absent"].Value == "–";
        if (row.Groups["kind"].Value != "histogram")
            return [new(name, labels, always)];
        return
        [
            new($"{name}_bucket", new HashSet<string>(labels, StringComparer.Ordinal) { "le" }, always),
            new($"{name}_sum", labels, always),
            new($"{name}_count", labels, always),
        ];
    }

    [GeneratedRegex(
        @"^\| `[a-z_.]+` \| `(?<name>[a-z_]+)` \| (?<kind>[a-z -]+) \| [^|]+ \| (?<labels>[^|]+) \| [^|]+ \| (?<absent>[^|]+) \|$",
        RegexOptions.Multiline
    )]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z._]+)`")]
    private static partial Regex Label();
}
