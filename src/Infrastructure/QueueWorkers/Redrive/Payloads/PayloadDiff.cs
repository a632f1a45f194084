using System.Text.Json.Nodes;

namespace QueueWorkers.Redrive.Payloads;

/// <summary>
/// What differs between two payloads: a list of <c>{ path, from, to }</c>; a missing side is left out.
/// </summary>
public static class PayloadDiff
{
    /// <summary>The differences, as JSON text.</summary>
    public static string Between(string? before, string? after)
    {
        var differences = new JsonArray();
        Compare(
            "",
            before is null ? null : JsonNode.Parse(before),
            after is null ? null : JsonNode.Parse(after),
            differences
        );
        return differences.ToJsonString();
    }

    private static void Compare(string path, JsonNode? before, JsonNode? after, JsonArray differences)
    {
        if (JsonNode.DeepEquals(before, after))
            return;
        if (before is not JsonObject was || after is not JsonObject now)
        {
            differences.Add(Difference(path, (true, before), (true, after)));
            return;
        }

        foreach (var name in was.Select(m => m.Key).Union(now.Select(m => m.Key)))
        {
            var place =
                $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
            var (had, has) = (was.TryGetPropertyValue(name, out var old), now.TryGetPropertyValue(name, out var fresh));
            if (had && has)
                Compare(place, old, fresh, differences);
            else
                differences.Add(Difference(place, (had, old), (has, fresh)));
        }
    }

    private static JsonObject Difference(
        string path,
        (bool There, JsonNode? Value) from,
        (bool There, JsonNode? Value) to
    )
    {
        var difference = new JsonObject { ["path"] = path };
        if (from.There)
            difference["from"] = from.Value?.DeepClone();
        if (to.There)
            difference["to"] = to.Value?.DeepClone();
        return difference;
    }
}
