using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Telemetry;

/// <summary>The table of docs/telemetry.md.</summary>
internal static partial class DocumentedMetrics
{
    /// <summary>Its rows.</summary>
    public static IReadOnlyList<DocumentedMetric> Read()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent ?? throw new InvalidOperationException("No Orders.sln above the tests.");
        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "telemetry.md"));
        return
        [
            .. Part()
                .Match(page)
                .Value.Split('\n')
                .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
                .Select(line => line.Split(" | ", StringSplitOptions.TrimEntries))
                .Select(cells => new DocumentedMetric(
                    cells[0].Trim('|', ' ', '`'),
                    cells[1].Trim('`'),
                    [.. Code().Matches(cells[4]).Select(m => m.Groups[1].Value.Replace('.', '_'))],
                    cells[6].Trim('|', ' ') != "–"
                )),
        ];
    }

    [GeneratedRegex("<!-- generated: metrics;.*?<!-- /generated -->", RegexOptions.Singleline)]
    private static partial Regex Part();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}

/// <summary>A row.</summary>
/// <param name="Name">The name of the instrument.</param>
/// <param name="Family">Its name in Prometheus.</param>
/// <param name="Labels">Its labels there.</param>
/// <param name="IsLate">Whether it is absent until something happens.</param>
internal sealed record DocumentedMetric(string Name, string Family, string[] Labels, bool IsLate);
