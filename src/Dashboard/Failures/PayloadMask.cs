using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Infrastructure.Failures;

namespace Orders.Dashboard.Failures;

/// <summary>
/// Masks in a payload, and in what differs between two, what the contract marks as personal and what it does not know:
/// nobody can say that a member that should not be there is harmless.
/// The pages and the operator API show the same.
/// </summary>
internal static class PayloadMask
{
    // Nobody who writes a patch can know it.
    private static readonly string Mark = $"masked {Guid.NewGuid():N} ";

    /// <summary>A payload with masks.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="contract">Its type; null when this version has none: then it is hidden as a whole.</param>
    /// <param name="hides">Set when anything is masked.</param>
    public static JsonNode? Of(JsonNode? payload, Type? contract, ref bool hides)
    {
        if (contract is null || !CanBe(payload, contract))
        {
            hides = true;
            return Viewing.Masked.Something;
        }

        if (payload is JsonValue text && IsTraced(text))
        {
            hides = true;
            return Viewing.Masked.Something;
        }

        switch (payload)
        {
            case JsonObject members:
                var shown = new JsonObject();
                foreach (var (name, value) in members)
                    shown[name] = Of(value, PersonalMembers.MemberOf(contract, name), ref hides);
                return shown;
            case JsonArray items:
                var list = new JsonArray();
                foreach (var item in items)
                    list.Add(Of(item, PersonalMembers.ElementOf(contract), ref hides));
                return list;
            default:
                return payload?.DeepClone();
        }
    }

    /// <summary>
    /// A list of differences (<see cref="QueueWorkers.Redrive.Payloads.PayloadDiff"/>) with masks: which member was
    /// changed always shows.
    /// </summary>
    /// <param name="differences">The list.</param>
    /// <param name="contract">The type of the payload; null when this version has none.</param>
    /// <param name="original">The payload before the change: a value that is masked there is masked wherever the change
    /// has brought it. Null when the differences are those of a <see cref="Traced(JsonNode?, Type?)"/> payload.</param>
    public static JsonArray OfDifferences(JsonNode? differences, Type? contract, JsonNode? original = null)
    {
        var (shown, hides) = (new JsonArray(), false);
        var hidden = new HashSet<string>(StringComparer.Ordinal);
        AddHidden(original, contract, hidden);
        foreach (var difference in (differences as JsonArray ?? []).OfType<JsonObject>())
        {
            var path = difference["path"]?.GetValue<string>() ?? "";
            var type = NamesOf(path)
                .Aggregate(contract, (at, name) => at is null ? null : PersonalMembers.MemberOf(at, name));
            var safe = new JsonObject { ["path"] = path };
            foreach (var side in (string[])["from", "to"])
            {
                if (difference.TryGetPropertyValue(side, out var value))
                    safe[side] = Without(hidden, Of(value, type, ref hides));
            }

            shown.Add(safe);
        }

        return shown;
    }

    /// <summary>
    /// The payload with a mark of its own in place of each value that is masked. What a patch does to the marks shows
    /// where it takes these values, and nothing of them.
    /// </summary>
    /// <param name="payload">The payload.</param>
    /// <param name="contract">Its type; null when this version has none.</param>
    public static JsonNode? Traced(JsonNode? payload, Type? contract)
    {
        var count = 0;
        return Traced(payload, contract, ref count);
    }

    /// <summary>
    /// A patch as everybody may see it: a value that it writes where no contract shows one is masked.
    /// </summary>
    /// <param name="patch">The patch, JSON text.</param>
    /// <param name="shows">Whether any contract shows the value at a path.</param>
    public static string OfPatch(string patch, Func<IReadOnlyList<string>, bool> shows)
    {
        var operations = JsonNode.Parse(patch) as JsonArray ?? [];
        foreach (var operation in operations.OfType<JsonObject>().Where(o => o.ContainsKey("value")))
        {
            var path = operation["path"] is JsonValue at && at.TryGetValue<string>(out var text) ? text : "";
            if (operation["value"] is JsonObject or JsonArray || !shows(NamesOf(path)))
                operation["value"] = Viewing.Masked.Something;
        }

        return operations.ToJsonString();
    }

    /// <summary>The names in a JSON pointer.</summary>
    public static string[] NamesOf(string pointer) =>
        [
            .. pointer
                .Split('/')
                .Skip(1)
                .Select(name =>
                    name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)
                ),
        ];

    private static void AddHidden(JsonNode? payload, Type? contract, HashSet<string> hidden)
    {
        var known = contract is not null && CanBe(payload, contract) ? contract : null;
        switch (payload)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                    AddHidden(value, known is null ? null : PersonalMembers.MemberOf(known, name), hidden);
                break;
            case JsonArray items:
                foreach (var item in items)
                    AddHidden(item, known is null ? null : PersonalMembers.ElementOf(known), hidden);
                break;
            case JsonValue value
                when known is null && value.GetValueKind() is (JsonValueKind.String or JsonValueKind.Number):
                hidden.Add(value.ToJsonString());
                break;
        }
    }

    private static JsonNode? Without(HashSet<string> hidden, JsonNode? shown)
    {
        switch (shown)
        {
            case JsonObject members when hidden.Count > 0:
                var safe = new JsonObject();
                foreach (var (name, value) in members)
                    safe[name] = Without(hidden, value);
                return safe;
            case JsonArray items when hidden.Count > 0:
                return new JsonArray([.. items.Select(item => Without(hidden, item))]);
            case JsonValue value when hidden.Contains(value.ToJsonString()):
                return Viewing.Masked.Something;
            default:
                return shown?.DeepClone();
        }
    }

    private static JsonNode? Traced(JsonNode? payload, Type? contract, ref int count)
    {
        var known = contract is not null && CanBe(payload, contract) ? contract : null;
        switch (payload)
        {
            case JsonObject members:
                var marked = new JsonObject();
                foreach (var (name, value) in members)
                    marked[name] = Traced(
                        value,
                        known is null ? null : PersonalMembers.MemberOf(known, name),
                        ref count
                    );
                return marked;
            case JsonArray items:
                var list = new JsonArray();
                foreach (var item in items)
                    list.Add(Traced(item, known is null ? null : PersonalMembers.ElementOf(known), ref count));
                return list;
            default:
                return known is null ? Mark + ++count : payload?.DeepClone();
        }
    }

    private static bool IsTraced(JsonValue value) =>
        value.TryGetValue<string>(out var text) && text.StartsWith(Mark, StringComparison.Ordinal);

    // A name where an address object belongs is no less personal: what has not the shape of its type is unknown.
    private static bool CanBe(JsonNode? payload, Type contract) =>
        payload switch
        {
            null => true,
            JsonObject => !PersonalMembers.IsPlain(contract) && PersonalMembers.ElementOf(contract) is null,
            JsonArray => !PersonalMembers.IsPlain(contract) && PersonalMembers.ElementOf(contract) is not null,
            _ => PersonalMembers.IsPlain(contract),
        };
}
