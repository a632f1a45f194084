using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The instruments of the meters <c>QueueWorkers</c> and <c>Orders</c>, from the calls that create and use them. A
/// meaning may end in a sentence that begins with "Absent": it says when the metric has no series.
/// </summary>
internal static partial class MetricsPart
{
    private const string Absent = " Absent ";

    public static string Write() =>
        MarkdownTable.Of(
            ["metric", "in Prometheus", "instrument", "unit", "labels", "meaning", "absent"],
            Repository
                .Sources("src")
                .SelectMany(path => Instruments(path, Repository.Read(path)))
                .OrderBy(row => row[0], StringComparer.Ordinal)
        );

    private static IEnumerable<string[]> Instruments(string path, string source)
    {
        foreach (Match creation in Creation().Matches(source))
        {
            var arguments = Arguments(source, creation.Index + creation.Length);
            var texts = Text().Matches(arguments).Select(m => m.Groups[1].Value).ToArray();
            var (kind, name) = (creation.Groups["kind"].Value, texts[0]);
            var unit = Array.Find(texts, t => t.StartsWith('{') || t is "s" or "By");
            var (meaning, absent) = Split(texts[^1]);
            Assert.That(unit, Is.Not.Null, $"{path}: {name} is created with a unit");
            Assert.That(meaning, Does.Contain(" ").And.EndsWith("."), $"{path}: {name} is created with its meaning");
            var uses = string.Concat(
                Use(creation.Groups["field"].Value)
                    .Matches(source)
                    .Select(use => Arguments(source, use.Index + use.Length))
            );
            yield return
            [
                $"`{name}`",
                $"`{PrometheusName(name, kind, unit!)}`",
                KindOf(kind),
                unit!.Trim('{', '}'),
                string.Join(", ", Labels(source, arguments + uses).Select(label => $"`{label}`"))
                    is { Length: > 0 } found
                    ? found
                    : "–",
                meaning,
                absent,
            ];
        }
    }

    private static (string Meaning, string Absent) Split(string description)
    {
        var at = description.IndexOf(Absent, StringComparison.Ordinal);
        return at < 0 ? (description, "–") : (description[..at], description[(at + Absent.Length)..].TrimEnd('.'));
    }

    // Labels stand in the call, or in a variable of the file that is handed over.
    private static IEnumerable<string> Labels(string source, string arguments) =>
        Label()
            .Matches(
                arguments
                    + string.Concat(
                        Variable()
                            .Matches(source)
                            .Where(m => Regex.IsMatch(arguments, $@"[\s,(\[]{m.Groups[1].Value}\s*[,)\]]"))
                            .Select(m => m.Value)
                    )
            )
            .Select(m => m.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal);

    // From behind the opening parenthesis to the one that closes it; that one included.
    private static string Arguments(string source, int start)
    {
        var (depth, end) = (1, start);
        for (var text = false; depth > 0; end++)
        {
            if (source[end] == '"' && source[end - 1] != '\\')
                text = !text;
            else if (!text)
                depth += source[end] switch
                {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
        }

        return source[start..end];
    }

    private static string KindOf(string kind) =>
        kind switch
        {
            "Counter" or "ObservableCounter" => "counter",
            "Histogram" => "histogram",
            "UpDownCounter" or "ObservableUpDownCounter" => "up-down counter",
            _ => "gauge",
        };

    // As the Prometheus exporter of OpenTelemetry forms it: units in braces are notes, and no part of the name.
    private static string PrometheusName(string name, string kind, string unit) =>
        name.Replace('.', '_')
        + (
            unit == "s" ? "_seconds"
            : unit == "By" ? "_bytes"
            : ""
        )
        + (KindOf(kind) == "counter" ? "_total" : "");

    [GeneratedRegex(
        @"(?:(?<field>\w+)\s*=\s*\w+\s*(?:\.Create\([^()]*\)\s*)?)?\.?\s*Create(?<kind>(?:Observable)?(?:Counter|UpDownCounter|Gauge)|Histogram)(?:<\w+>)?\("
    )]
    private static partial Regex Creation();

    [GeneratedRegex(@"""((?:[^""\\]|\\.)*)""")]
    private static partial Regex Text();

    [GeneratedRegex(@"(?:new|object\?>)\(""([\w.]+)""")]
    private static partial Regex Label();

    [GeneratedRegex(@"var (\w+) = new KeyValuePair<string, object\?>\(""[\w.]+""")]
    private static partial Regex Variable();

    private static Regex Use(string field) =>
        field == "" ? new Regex("(?!)") : new Regex($@"\b{field}\s*\.(?:Add|Record)\(");
}
