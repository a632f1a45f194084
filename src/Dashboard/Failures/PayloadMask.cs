using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Contracts;

namespace Orders.Dashboard.Failures;

/// <summary>
/// Masks in a payload, and in what differs between two, what the contract marks as personal and what it does not know:
/// nobody can say that a member that should not be there is harmless.
/// The pages and the operator API show the same.
/// </summary>
internal static class PayloadMask
{
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

        switch (payload)
        {
            case JsonObject members:
                var shown = new JsonObject();
                foreach (var (name, value) in members)
                    shown[name] = Of(value, MemberOf(contract, name), ref hides);
                return shown;
            case JsonArray items:
                var list = new JsonArray();
                foreach (var item in items)
                    list.Add(Of(item, ElementOf(contract), ref hides));
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
    public static JsonArray OfDifferences(JsonNode? differences, Type? contract)
    {
        var (shown, hides) = (new JsonArray(), false);
        foreach (var difference in (differences as JsonArray ?? []).OfType<JsonObject>())
        {
            var path = difference["path"]?.GetValue<string>() ?? "";
            var type = path.Split('/')
                .Skip(1)
                .Aggregate(
                    contract,
                    (at, name) =>
                        at is null
                            ? null
                            : MemberOf(
                                at,
                                name.Replace("~1", "/", StringComparison.Ordinal)
                                    .Replace("~0", "~", StringComparison.Ordinal)
                            )
                );
            var safe = new JsonObject { ["path"] = path };
            foreach (var side in (string[])["from", "to"])
            {
                if (difference.TryGetPropertyValue(side, out var value))
                    safe[side] = Of(value, type, ref hides);
            }

            shown.Add(safe);
        }

        return shown;
    }

    // A name where an address object belongs is no less personal: what has not the shape of its type is unknown.
    private static bool CanBe(JsonNode? payload, Type contract) =>
        payload switch
        {
            null => true,
            JsonObject => !IsPlain(contract) && ElementOf(contract) is null,
            JsonArray => !IsPlain(contract) && ElementOf(contract) is not null,
            _ => IsPlain(contract),
        };

    private static bool IsPlain(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (
            plain.IsPrimitive
            || plain.IsEnum
            || plain == typeof(string)
            || plain == typeof(decimal)
            || plain == typeof(Guid)
            || plain == typeof(DateTimeOffset)
            || plain == typeof(DateTime)
            || plain == typeof(DateOnly)
            || plain == typeof(TimeOnly)
            || plain == typeof(TimeSpan)
        );

    // Null for what is personal or unknown.
    private static Type? MemberOf(Type type, string name) =>
        type.GetProperties().FirstOrDefault(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name) is { } property
        && property.GetCustomAttribute<PersonalAttribute>() is null
            ? property.PropertyType
            : null;

    private static Type? ElementOf(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments()[0]
        : null;
}
