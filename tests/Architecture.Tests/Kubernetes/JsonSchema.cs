using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>Checks a document against the part of JSON Schema that <c>deploy/kubernetes/schemas</c> uses.</summary>
internal static class JsonSchema
{
    /// <summary>What is wrong, each with its path; nothing for a valid document.</summary>
    public static IEnumerable<string> ProblemsOf(JsonNode? value, JsonObject schema, string path = "")
    {
        foreach (var (keyword, rule) in schema)
        {
            var problems = keyword switch
            {
                "$comment" or "additionalProperties" => [],
                "type" => Check(
                    TypeMatches(value, rule!.GetValue<string>()),
                    $"{path}: expected {rule}, found {Text(value)}"
                ),
                "enum" => Check(
                    rule!.AsArray().Any(allowed => JsonNode.DeepEquals(allowed, value)),
                    $"{path}: expected one of {rule.ToJsonString()}, found {Text(value)}"
                ),
                "pattern" => Check(
                    Regex.IsMatch(value?.ToString() ?? "", rule!.GetValue<string>()),
                    $"{path}: expected {rule}, found {Text(value)}"
                ),
                "minimum" => Check(
                    value is JsonValue number && number.TryGetValue<long>(out var n) && n >= rule!.GetValue<int>(),
                    $"{path}: expected at least {rule}, found {Text(value)}"
                ),
                "required" => rule!
                    .AsArray()
                    .Select(name => name!.GetValue<string>())
                    .Where(name => value is JsonObject map && !map.ContainsKey(name))
                    .Select(name => $"{path}: expected {name}, found none"),
                "properties" => Members(value, rule!.AsObject(), schema["additionalProperties"], path),
                "items" => value is JsonArray list
                    ? list.SelectMany((item, n) => ProblemsOf(item, rule!.AsObject(), $"{path}[{n}]"))
                    : [],
                "oneOf" => OneOf(value, rule!.AsArray(), path),
                _ => throw new NotSupportedException($"Schema keyword {keyword} at {path}."),
            };
            foreach (var problem in problems)
                yield return problem;
        }

        if (!schema.ContainsKey("properties"))
        {
            foreach (var problem in Members(value, [], schema["additionalProperties"], path))
                yield return problem;
        }
    }

    private static IEnumerable<string> Members(JsonNode? value, JsonObject known, JsonNode? others, string path) =>
        value is not JsonObject map
            ? []
            : map.SelectMany(member =>
                known[member.Key] is JsonObject own ? ProblemsOf(member.Value, own, $"{path}.{member.Key}")
                : others is JsonObject any ? ProblemsOf(member.Value, any, $"{path}.{member.Key}")
                : others is JsonValue ? Check(false, $"{path}: unknown field {member.Key}")
                : []
            );

    private static IEnumerable<string> OneOf(JsonNode? value, JsonArray schemas, string path)
    {
        var all = schemas.Select(s => ProblemsOf(value, s!.AsObject(), path).ToArray()).ToArray();
        return all.Count(problems => problems is []) == 1 ? [] : all.SelectMany(problems => problems);
    }

    private static string[] Check(bool isValid, string problem) => isValid ? [] : [problem];

    private static string Text(JsonNode? value) => value?.ToJsonString() ?? "null";

    private static bool TypeMatches(JsonNode? value, string type) =>
        type switch
        {
            "object" => value is JsonObject,
            "array" => value is JsonArray,
            "string" => value?.GetValueKind() == JsonValueKind.String,
            "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
            "integer" => value is JsonValue number && number.TryGetValue<long>(out _),
            _ => throw new NotSupportedException($"Schema type {type}."),
        };
}
