using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>
/// What an object of Kubernetes may have: the models of the .NET client for kinds that are built in, and
/// <c>deploy/kubernetes/schemas</c> for those of operators.
/// </summary>
internal static class ObjectSchemas
{
    private static readonly JsonSerializerOptions Strict = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly ILookup<string, Type> Models = typeof(V1Deployment)
        .Assembly.GetTypes()
        .Select(type => (Type: type, Entity: type.GetCustomAttribute<KubernetesEntityAttribute>()))
        .Where(model => model.Entity is not null)
        .ToLookup(
            model =>
                model.Entity!.Group is { Length: > 0 } group
                    ? $"{group}/{model.Entity.ApiVersion} {model.Entity.Kind}"
                    : $"{model.Entity.ApiVersion} {model.Entity.Kind}",
            model => model.Type
        );

    /// <summary>What is wrong with an object; nothing when it is valid.</summary>
    public static IReadOnlyList<string> ProblemsOf(JsonObject document)
    {
        var name = $"{document["kind"]} {document["metadata"]?["name"]}";
        if (Models[$"{document["apiVersion"]} {document["kind"]}"].FirstOrDefault() is { } model)
        {
            try
            {
                document.Deserialize(model, Strict);
                return [];
            }
            catch (JsonException fault)
            {
                return [$"{name}: {fault.Message}"];
            }
        }

        var schema = Path.Combine(Repository.Root, Kustomize.Folder, "schemas", $"{document["kind"]}.json");
        return File.Exists(schema)
            ? [.. JsonSchema.ProblemsOf(document, JsonNode.Parse(File.ReadAllText(schema))!.AsObject(), name)]
            : [$"{name}: no schema for {document["apiVersion"]} {document["kind"]}"];
    }
}
