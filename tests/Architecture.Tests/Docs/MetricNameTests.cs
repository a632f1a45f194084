using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs;

/// <summary>
/// The names of metrics are written once, in the generated table of docs/telemetry.md. Whatever else names one (pages,
/// alert rules, scalers, charts) names one of these.
/// </summary>
public sealed partial class MetricNameTests
{
    private const string Table = "docs/telemetry.md";

    [Test]
    public void Every_metric_that_docs_and_deployments_name_is_in_the_table()
    {
        var known = Known();
        Assert.That(known, Has.Count.GreaterThan(30), $"names in {Table}");
        var unknown = Pages()
            .SelectMany(path =>
                Name()
                    .Matches(Repository.Read(path))
                    .Select(m => m.Value)
                    .Where(name => !known.Contains(name) && !known.Contains(Part().Replace(name, "")))
                    .Distinct()
                    .Select(name => $"{path}: {name}")
            );
        Assert.That(unknown, Is.Empty, $"names of metrics that {Table} does not have");
    }

    private static HashSet<string> Known() =>
        [.. Row().Matches(Repository.Read(Table)).Select(m => m.Groups["family"].Value)];

    private static IEnumerable<string> Pages() =>
        Repository
            .Find("docs", "*.md")
            .Where(path => !path.StartsWith("docs/adr/", StringComparison.Ordinal) && path != "docs/upgrading.md")
            .Concat(Repository.Find("deploy", "*.y*ml"))
            .Concat(Repository.Find("deploy", "*.json"));

    // A recording rule has colons in its name.
    [GeneratedRegex(@"(?<![:\w])queueworkers_\w+\b(?!:)")]
    private static partial Regex Name();

    [GeneratedRegex("_(?:bucket|sum|count)$")]
    private static partial Regex Part();

    [GeneratedRegex(@"^\| `[\w.]+` \| `(?<family>\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
