using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// A PromQL expression, read as far as names go: metrics, and labels in selectors and in <c>by</c>, <c>on</c> and the
/// like. Whether it is an expression at all is for promtool to say.
/// </summary>
internal static partial class PromQuery
{
    private static readonly HashSet<string> Words =
    [
        "and",
        "or",
        "unless",
        "offset",
        "bool",
        "by",
        "on",
        "without",
        "ignoring",
        "group_left",
        "group_right",
    ];

    /// <summary>The metrics of an expression, each with the labels of its selector.</summary>
    public static IEnumerable<(string Name, string[] Labels)> Metrics(string expression)
    {
        var text = Lists().Replace(WithoutTexts(expression), " ");
        foreach (Match match in Selector().Matches(text))
        {
            var name = match.Groups["name"].Value;
            if (!Words.Contains(name))
                yield return (
                    name,
                    [.. LabelOfSelector().Matches(match.Groups["labels"].Value).Select(m => m.Groups[1].Value)]
                );
        }
    }

    /// <summary>The labels that an expression groups or joins by.</summary>
    public static IEnumerable<string> GroupedBy(string expression) =>
        Lists()
            .Matches(WithoutTexts(expression))
            .SelectMany(m => m.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries))
            .Where(label => label != "");

    // What is written between quotes is no name.
    private static string WithoutTexts(string expression) => Text().Replace(expression, "\"\"");

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Text();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring|group_left|group_right)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Lists();

    // A name, but no function, no unit of a duration, and no label within braces.
    [GeneratedRegex(@"(?<![\w:.])(?<name>[a-zA-Z_:][\w:]*)(?![\w:])(?!\s*\()\s*(?:\{(?<labels>[^}]*)\})?")]
    private static partial Regex Selector();

    [GeneratedRegex(@"(\w+)\s*(?:=~|!~|!=|=)")]
    private static partial Regex LabelOfSelector();
}
