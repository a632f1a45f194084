using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Orders.Testing.Fuzz;

/// <summary>A JSON text that a type can be read from, with every member set.</summary>
internal static class JsonSample
{
    private const int Deepest = 5;

    public static string Of(Type type, JsonSerializerOptions options) => Of(type, options, 0);

    /// <summary>A simple value as text, without quotes; null when the type is none.</summary>
    public static string? Simple(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            _ when type == typeof(string) => "email",
            _ when type == typeof(bool) => "true",
            _ when type == typeof(Guid) => "019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70",
            _ when type == typeof(DateTimeOffset) || type == typeof(DateTime) => "2026-11-29T10:00:00Z",
            _ when type == typeof(TimeSpan) => "00:01:00",
            { IsEnum: true } => Enum.GetNames(type)[^1],
            { IsPrimitive: true } or { FullName: "System.Decimal" } => 1.ToString(CultureInfo.InvariantCulture),
            _ => null,
        };
    }

    private static string Of(Type type, JsonSerializerOptions options, int depth)
    {
        if (depth > Deepest)
            return "null";
        if (type == typeof(JsonArray))
            return """[{"op":"replace","path":"/premium","value":true}]""";
        if (typeof(JsonNode).IsAssignableFrom(type))
            return """{"orderId":"019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70","premium":true}""";
        if (Simple(type) is { } simple)
            return simple is "true" or "1" ? simple : $"\"{simple}\"";
        var info = options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => $"[{Of(info.ElementType!, options, depth + 1)}]",
            JsonTypeInfoKind.Dictionary => $"{{\"a\":{Of(info.ElementType!, options, depth + 1)}}}",
            JsonTypeInfoKind.Object =>
                $"{{{string.Join(',', Read(info).Select(p => $"\"{p.Name}\":{Of(p.PropertyType, options, depth + 1)}"))}}}",
            _ => "null",
        };
    }

    private static IEnumerable<JsonPropertyInfo> Read(JsonTypeInfo info) =>
        info.Properties.Where(p => p.Set is not null || p.AssociatedParameter is not null);
}
