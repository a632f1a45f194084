using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Docs;

/// <summary>Compares what a page shows with what is so. Numbers, times and ids may differ; names and words may not.</summary>
internal static partial class ShownOutput
{
    /// <summary>The shown lines that the output does not have.</summary>
    public static IReadOnlyList<string> Missing(IEnumerable<string> shown, string output)
    {
        var lines = output.ReplaceLineEndings("\n").Split('\n');
        var documents = lines.Select(Parsed).OfType<JsonNode>().ToArray();
        return
        [
            .. shown.Where(line =>
                line.Trim() != "…"
                && (
                    Parsed(line) is { } json
                        ? !documents.Any(document => Differences(json, document).Count == 0)
                        : !lines.Any(new Regex(Pattern(line)).IsMatch)
                )
            ),
        ];
    }

    /// <summary>
    /// Where a shown document is not part of an actual one: members that it does not have, other kinds of values.
    /// </summary>
    public static IReadOnlyList<string> Differences(JsonNode? shown, JsonNode? actual, string path = "")
    {
        if (shown is JsonObject members)
            return actual is JsonObject found
                ?
                [
                    .. members.SelectMany(m =>
                        found.ContainsKey(m.Key)
                            ? Differences(m.Value, found[m.Key], $"{path}/{m.Key}")
                            : [$"{path}/{m.Key} is not in the answer"]
                    ),
                ]
                : [$"{Named(path)} is no object"];
        if (shown is JsonArray items)
            return actual is JsonArray list
                ?
                [
                    // An element is an example: one of the actual elements has its members.
                    .. items.SelectMany(
                        (item, n) =>
                            list.Select(other => Differences(item, other, $"{path}/{n}"))
                                .MinBy(differences => differences.Count)
                            ?? [$"{Named(path)} is empty"]
                    ),
                ]
                : [$"{Named(path)} is no array"];
        return actual is JsonObject or JsonArray && shown is not null ? [$"{Named(path)} is no single value"] : [];
    }

    /// <summary>A document with the places left out where the page has …</summary>
    /// <returns>Null when the text is no JSON.</returns>
    public static JsonNode? Parsed(string text)
    {
        if (text.Trim() is not ['{' or '[', ..])
            return null;
        try
        {
            return JsonNode.Parse(LeftOut().Replace(text, ""));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Pattern(string line) =>
        string.Concat(
            Parts()
                .Matches(line.Trim())
                .Select(part =>
                    part.Value switch
                    {
                        "…" => ".*",
                        _ when part.Groups["id"].Success => "[0-9a-f-]+",
                        _ when part.Groups["number"].Success => @"[\d.,:]+",
                        _ when part.Groups["space"].Success => @"\s+",
                        var text => Regex.Escape(text),
                    }
                )
        );

    private static string Named(string path) => path == "" ? "the answer" : path;

    // `, …` before the end of an object or an array, or as its only content.
    [GeneratedRegex(@",?\s*…(?=\s*[}\]])")]
    private static partial Regex LeftOut();

    [GeneratedRegex(
        @"…|(?<id>\b[0-9a-f]{8}-[0-9a-f-]*|\b(?=[a-f]*\d)[0-9a-f]{16}\b)|(?<number>\d[\d.,:]*\d|\d)|(?<space>\s+)|[^…\d\s]"
    )]
    private static partial Regex Parts();
}
