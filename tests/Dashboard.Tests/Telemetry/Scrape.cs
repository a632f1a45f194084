using System.Globalization;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Telemetry;

/// <summary>What Prometheus reads of a host, in the text format.</summary>
internal static partial class Scrape
{
    /// <summary>Reads <c>/metrics</c>.</summary>
    /// <param name="http">The client.</param>
    /// <param name="port">The port of the metrics.</param>
    public static async Task<IReadOnlyList<Series>> OfAsync(HttpClient http, int port)
    {
        var text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        // A histogram has three series for one: its name is that of the family.
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match type in Type().Matches(text))
            types[type.Groups["name"].Value] = type.Groups["type"].Value;
        return [.. Sample().Matches(text).Select(m => SeriesOf(m, types))];
    }

    private static Series SeriesOf(Match sample, Dictionary<string, string> types)
    {
        var name = sample.Groups["name"].Value;
        var family = Part().Replace(name, "");
        var labels = Label()
            .Matches(sample.Groups["labels"].Value)
            .ToDictionary(m => m.Groups["name"].Value, m => m.Groups["value"].Value, StringComparer.Ordinal);
        return new Series(
            types.GetValueOrDefault(family) == "histogram" ? family : name,
            labels.GetValueOrDefault("otel_scope_name", ""),
            labels.Where(l => !IsTechnical(l.Key)).ToDictionary(l => l.Key, l => l.Value),
            double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)
        );
    }

    // Made by the exporter, and by a histogram.
    private static bool IsTechnical(string label) =>
        label == "le" || label.StartsWith("otel_scope_", StringComparison.Ordinal);

    [GeneratedRegex(@"^# TYPE (?<name>\w+) (?<type>\w+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex(
        @"^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>[-+.\w]+)(?: \d+)?\s*$",
        RegexOptions.Multiline
    )]
    private static partial Regex Sample();

    [GeneratedRegex(@"(?<name>\w+)=""(?<value>(?:[^""\\]|\\.)*)""")]
    private static partial Regex Label();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Part();
}

/// <summary>A series, or one of those that a histogram has.</summary>
/// <param name="Family">The name of the metric in Prometheus.</param>
/// <param name="Meter">The meter it comes from.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Value">Its value.</param>
internal sealed record Series(string Family, string Meter, IReadOnlyDictionary<string, string> Labels, double Value);
