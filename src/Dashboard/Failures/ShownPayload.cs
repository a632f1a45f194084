using System.Collections;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Infrastructure.Failures;

namespace Orders.Dashboard.Failures;

/// <summary>A payload as operators may see it.</summary>
/// <param name="Text">The text; with masks where something is personal.</param>
/// <param name="Hides">Whether anything is masked.</param>
internal sealed record ShownPayload(string Text, bool Hides)
{
    // Its own escapes are for pages that do not escape: Razor does, and people want to read "Müller".
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Masks what the contract marks as personal, and what it does not know: nobody can say that a member that should not be there is harmless. A payload whose type is unknown, or that
    /// cannot be read at all, is hidden as a whole.
    /// </summary>
    public static ShownPayload Masked(Failure failure, IMessageContracts contracts)
    {
        if (failure.Payload is null || failure.MessageType is not { } name || contracts.Find(name) is not { } type)
            return new ShownPayload(Viewing.Masked.Something, true);
        var hides = false;
        var shown = Mask(JsonNode.Parse(failure.Payload), type, ref hides);
        return new ShownPayload(Write(shown), hides);
    }

    /// <summary>All of it.</summary>
    public static ShownPayload Whole(Failure failure) =>
        new(failure.Payload is { } payload ? Write(JsonNode.Parse(payload)) : System.Text.Encoding.UTF8.GetString(failure.Body), false);

    /// <summary>JSON as people read it; what is none, as it is.</summary>
    public static string Pretty(string json)
    {
        try
        {
            return Write(JsonNode.Parse(json));
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static string Write(JsonNode? node) => node?.ToJsonString(Readable) ?? "null";

    private static JsonNode? Mask(JsonNode? node, Type type, ref bool hides)
    {
        switch (node)
        {
            case JsonObject members:
                var shown = new JsonObject();
                foreach (var (name, value) in members)
                {
                    var property = type.GetProperties().FirstOrDefault(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == name);
                    var secret = property is null || property.GetCustomAttribute<PersonalAttribute>() is not null;
                    hides |= secret;
                    shown[name] = secret ? Viewing.Masked.Something : Mask(value, property!.PropertyType, ref hides);
                }

                return shown;
            case JsonArray items:
                var element = type.IsArray ? type.GetElementType()! : type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments()[0] : typeof(object);
                var list = new JsonArray();
                foreach (var item in items)
                    list.Add(Mask(item, element, ref hides));
                return list;
            default:
                return node?.DeepClone();
        }
    }
}
