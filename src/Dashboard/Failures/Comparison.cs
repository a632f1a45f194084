using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Dashboard.Viewing;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;

namespace Orders.Dashboard.Failures;

/// <summary>One line of two failures beside each other.</summary>
/// <param name="Name">What it is: a field, a member's path, a line's number.</param>
/// <param name="First">What the first failure has; null when it has none.</param>
/// <param name="Second">What the second has.</param>
internal sealed record ComparedRow(string Name, string? First, string? Second)
{
    /// <summary>
    /// Whether either side is masked. Then nobody is told whether the two differ: that would say something about what
    /// is behind the masks.
    /// </summary>
    public bool IsHidden =>
        First?.Contains(Masked.Something, StringComparison.Ordinal) == true
        || Second?.Contains(Masked.Something, StringComparison.Ordinal) == true;

    /// <summary>Whether both are moments, shown in the viewer's zone.</summary>
    public bool AreMoments { get; init; }

    /// <summary>Whether the two are seen to differ.</summary>
    public bool Differs => !IsHidden && First != Second;
}

/// <summary>What of two failures stands beside each other.</summary>
/// <param name="Rows">Line by line.</param>
/// <param name="IsCut">Whether more than <see cref="Comparison.MostRows"/> were there.</param>
internal sealed record ComparedRows(IReadOnlyList<ComparedRow> Rows, bool IsCut = false)
{
    /// <summary>
    /// How many differences are seen. What is masked or cut off may differ too, so the sentence claims nothing of it.
    /// </summary>
    /// <param name="of">What a row is, in the plural, such as <c>lines</c>.</param>
    public string Says(string of)
    {
        var differences = Rows.Count(r => r.Differs);
        var kind = Rows.Any(r => r.IsHidden) ? "visible difference" : "difference";
        return (differences == 0 ? $"no {kind}" : Texts.Many(differences, kind))
            + (IsCut ? $" in the first {Comparison.MostRows} {of}" : "");
    }
}

/// <summary>
/// Two failures beside each other. Payloads are compared as everybody may see them, so a comparison says no more than
/// the pages of the two.
/// </summary>
internal static class Comparison
{
    /// <summary>
    /// Lines or members that are compared: a stack or a payload beyond it is not read line by line by anybody.
    /// </summary>
    public const int MostRows = 300;

    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The payloads, member by member, with masks.</summary>
    public static ComparedRows Payloads(Failure first, Failure second, IMessageContracts contracts) =>
        Members(PayloadOf(first, contracts), PayloadOf(second, contracts));

    /// <summary>The headers, one by one.</summary>
    public static ComparedRows Headers(Failure first, Failure second) =>
        Members(JsonNode.Parse(first.Headers), JsonNode.Parse(second.Headers));

    /// <summary>The members of two JSON texts by their paths: those of the first in its order, then the others.</summary>
    public static ComparedRows Members(JsonNode? first, JsonNode? second)
    {
        var (left, right) = (ValuesOf(first), ValuesOf(second));
        var paths = left.Keys.Union(right.Keys).Take(MostRows + 1).ToArray();
        return new ComparedRows(
            [
                .. paths
                    .Take(MostRows)
                    .Select(path => new ComparedRow(path, left.GetValueOrDefault(path), right.GetValueOrDefault(path))),
            ],
            paths.Length > MostRows
        );
    }

    /// <summary>
    /// The lines of two texts: equal ones stand beside each other, and what only one of them has stands alone.
    /// </summary>
    public static ComparedRows Lines(string? first, string? second)
    {
        var (allLeft, allRight) = (LinesOf(first), LinesOf(second));
        var (left, right) = (allLeft.Take(MostRows).ToArray(), allRight.Take(MostRows).ToArray());
        // The longest common part from each pair of places on.
        var common = new int[left.Length + 1, right.Length + 1];
        for (var l = left.Length - 1; l >= 0; l--)
        for (var r = right.Length - 1; r >= 0; r--)
            common[l, r] =
                left[l] == right[r] ? common[l + 1, r + 1] + 1 : Math.Max(common[l + 1, r], common[l, r + 1]);
        var rows = new List<ComparedRow>();
        for (var (i, j) = (0, 0); i < left.Length || j < right.Length; )
        {
            var name = Texts.Count(rows.Count + 1);
            if (i < left.Length && j < right.Length && left[i] == right[j])
                rows.Add(new ComparedRow(name, left[i++], right[j++]));
            else if (j == right.Length || (i < left.Length && common[i + 1, j] >= common[i, j + 1]))
                rows.Add(new ComparedRow(name, left[i++], null));
            else
                rows.Add(new ComparedRow(name, null, right[j++]));
        }

        return new ComparedRows(rows, allLeft.Length > left.Length || allRight.Length > right.Length);
    }

    private static string[] LinesOf(string? text) =>
        string.IsNullOrEmpty(text) ? [] : [.. text.Split('\n').Select(line => line.TrimEnd('\r'))];

    private static JsonNode? PayloadOf(Failure failure, IMessageContracts contracts)
    {
        var shown = ShownPayload.Masked(failure, contracts);
        return shown.Json ?? shown.Text;
    }

    private static Dictionary<string, string> ValuesOf(JsonNode? node)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("", node, values);
        return values;
    }

    private static void Add(string path, JsonNode? node, Dictionary<string, string> values)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } members:
                foreach (var (name, value) in members)
                    Add(path == "" ? name : $"{path}.{name}", value, values);
                break;
            case JsonArray { Count: > 0 } items:
                for (var i = 0; i < items.Count; i++)
                    Add($"{path}[{i}]", items[i], values);
                break;
            case JsonValue text when text.TryGetValue<string>(out var says):
                values[path] = says;
                break;
            default:
                values[path] = node?.ToJsonString(Readable) ?? "null";
                break;
        }
    }
}
