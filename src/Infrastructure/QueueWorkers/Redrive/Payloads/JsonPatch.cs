using System.Globalization;
using System.Text.Json.Nodes;

namespace QueueWorkers.Redrive.Payloads;

/// <summary>
/// Applies a patch (RFC 6902) to a JSON document: add, remove, replace, move, copy, test; all of it or nothing.
/// </summary>
internal static class JsonPatch
{
    /// <summary>The patched document; the given one stays as it is.</summary>
    /// <exception cref="InvalidPayloadException">An operation is malformed, its place does not exist, or a test does
    /// not hold.</exception>
    public static JsonNode? Apply(JsonNode? document, JsonArray patch)
    {
        // Under a root of its own, so that the whole document can be replaced like any other value.
        var root = new JsonObject { ["root"] = document?.DeepClone() };
        for (var i = 0; i < patch.Count; i++)
        {
            try
            {
                Apply(
                    root,
                    patch[i] as JsonObject ?? throw new InvalidPayloadException("expected an object with op and path")
                );
            }
            catch (InvalidPayloadException problem)
            {
                throw new InvalidPayloadException($"Operation {i} of the patch: {problem.Message}");
            }
        }

        var result = root["root"];
        root["root"] = null;
        return result;
    }

    private static void Apply(JsonObject root, JsonObject operation)
    {
        var path = Pointer(operation, "path");
        switch (TextOf(operation, "op"))
        {
            case "add":
                Add(root, path, Value(operation));
                break;
            case "remove":
                Remove(root, path);
                break;
            case "replace":
                Remove(root, path);
                Add(root, path, Value(operation));
                break;
            case "move":
                var from = Pointer(operation, "from");
                if (path.Count > from.Count && path.Take(from.Count).SequenceEqual(from))
                    throw new InvalidPayloadException("a value cannot be moved into itself");
                Add(root, path, Remove(root, from));
                break;
            case "copy":
                Add(root, path, Find(root, Pointer(operation, "from"))?.DeepClone());
                break;
            case "test":
                if (!JsonNode.DeepEquals(Find(root, path), Value(operation)))
                    throw new InvalidPayloadException($"test: {TextOf(operation, "path")} has another value");
                break;
            case var other:
                throw new InvalidPayloadException(
                    $"op must be add, remove, replace, move, copy or test, got '{other}'"
                );
        }
    }

    private static string TextOf(JsonObject operation, string name) =>
        operation[name] is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : throw new InvalidPayloadException($"'{name}' must be a string");

    private static JsonNode? Value(JsonObject operation) =>
        operation.TryGetPropertyValue("value", out var value)
            ? value?.DeepClone()
            : throw new InvalidPayloadException("'value' is missing");

    private static List<string> Pointer(JsonObject operation, string name)
    {
        var text = TextOf(operation, name);
        if (text.Length > 0 && text[0] != '/')
            throw new InvalidPayloadException($"'{name}' must be empty or begin with '/', got '{text}'");
        return
        [
            "root",
            .. text.Split('/')
                .Skip(1)
                .Select(part =>
                    part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)
                ),
        ];
    }

    private static JsonNode? Find(JsonNode root, List<string> path)
    {
        JsonNode? node = root;
        foreach (var part in path)
            node = Child(node, part, path);
        return node;
    }

    private static JsonNode? Child(JsonNode? node, string part, List<string> path) =>
        node switch
        {
            JsonObject members when members.TryGetPropertyValue(part, out var value) => value,
            JsonArray items when Index(part, items.Count - 1) is { } index => items[index],
            _ => throw new InvalidPayloadException($"there is nothing at '/{string.Join('/', path.Skip(1))}'"),
        };

    private static void Add(JsonObject root, List<string> path, JsonNode? value)
    {
        switch (Find(root, path[..^1]))
        {
            case JsonObject members:
                members[path[^1]] = value;
                break;
            case JsonArray items when path[^1] == "-":
                items.Add(value);
                break;
            case JsonArray items when Index(path[^1], items.Count) is { } index:
                items.Insert(index, value);
                break;
            default:
                throw new InvalidPayloadException($"nothing can be added at '/{string.Join('/', path.Skip(1))}'");
        }
    }

    private static JsonNode? Remove(JsonObject root, List<string> path)
    {
        var removed = Find(root, path);
        if (path.Count == 1)
            root["root"] = null;
        else if (Find(root, path[..^1]) is JsonArray items)
            items.RemoveAt(Index(path[^1], items.Count - 1)!.Value);
        else
            ((JsonObject)Find(root, path[..^1])!).Remove(path[^1]);
        return removed;
    }

    // No leading zeros, no signs: RFC 6901.
    private static int? Index(string part, int last) =>
        part.Length is > 0 and < 9
        && part.All(char.IsAsciiDigit)
        && (part.Length == 1 || part[0] != '0')
        && int.Parse(part, CultureInfo.InvariantCulture) is var index
        && index <= last
            ? index
            : null;
}
