using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>A Deployment or Job, and what its one container is told.</summary>
/// <param name="Kind">Deployment or Job.</param>
/// <param name="Name">Its name.</param>
/// <param name="Labels">Labels of its pods.</param>
/// <param name="Spec">Specification of its pods.</param>
/// <param name="Environment">Variables of the container, with those of ConfigMaps.</param>
/// <param name="Secrets">Files of the container, by name: <c>Secret/key</c>.</param>
internal sealed partial record Pods(
    string Kind,
    string Name,
    JsonObject Labels,
    JsonObject Spec,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyDictionary<string, string> Secrets
)
{
    /// <summary>The container.</summary>
    public JsonObject Container => Spec["containers"]!.AsArray().Single()!.AsObject();

    /// <summary>Those of an overlay. Keys of Secrets that are taken whole are those of <c>secrets</c>.</summary>
    public static async Task<IReadOnlyList<Pods>> OfAsync(string overlay)
    {
        var objects = await Kustomize.ObjectsAsync(overlay);
        // Production makes no Secrets; those of the demo have the same names and keys.
        var secrets = (await Kustomize.ObjectsAsync("demo"))
            .Where(o => KindOf(o) == "Secret")
            .ToDictionary(NameOf, o => o["data"]!.AsObject().Select(pair => pair.Key).ToArray());
        var maps = objects
            .Where(o => KindOf(o) == "ConfigMap")
            .ToDictionary(
                NameOf,
                o => o["data"]!.AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<string>())
            );
        return
        [
            .. objects
                .Where(o => KindOf(o) is "Deployment" or "Job")
                .Select(o =>
                {
                    var template = o["spec"]!["template"]!;
                    var spec = template["spec"]!.AsObject();
                    return new Pods(
                        KindOf(o),
                        NameOf(o),
                        template["metadata"]!["labels"]!.AsObject(),
                        spec,
                        EnvironmentOf(spec["containers"]![0]!, maps),
                        SecretsOf(spec, secrets)
                    );
                }),
        ];
    }

    /// <summary>Whether a <c>podSelector</c> selects these pods.</summary>
    public bool AreSelectedBy(JsonNode? selector) =>
        (selector?["matchLabels"]?.AsObject() ?? []).All(pair => Labels[pair.Key]?.ToString() == pair.Value!.ToString())
        && (selector?["matchExpressions"]?.AsArray() ?? []).All(expression =>
            expression!["values"]!
                .AsArray()
                .Any(v => v!.ToString() == Labels[expression["key"]!.ToString()]?.ToString())
        );

    public static string KindOf(JsonObject document) => document["kind"]!.GetValue<string>();

    public static string NameOf(JsonObject document) => document["metadata"]!["name"]!.GetValue<string>();

    private static Dictionary<string, string> EnvironmentOf(
        JsonNode container,
        Dictionary<string, Dictionary<string, string>> maps
    )
    {
        var all = new Dictionary<string, string>();
        foreach (var from in container["envFrom"]?.AsArray() ?? [])
        {
            foreach (var (name, value) in maps[from!["configMapRef"]!["name"]!.ToString()])
                all[name] = value;
        }

        foreach (var variable in container["env"]?.AsArray() ?? [])
            all[variable!["name"]!.ToString()] = Reference()
                .Replace(variable["value"]?.ToString() ?? "", match => all[match.Groups[1].Value]);
        return all;
    }

    private static Dictionary<string, string> SecretsOf(JsonObject spec, Dictionary<string, string[]> secrets) =>
        (spec["volumes"]?.AsArray() ?? [])
            .SelectMany(volume => volume!["projected"]?["sources"]?.AsArray() ?? [])
            .Select(source => source!["secret"]!)
            .SelectMany(secret =>
                secret["items"] is JsonArray items
                    ? items.Select(item => (File: item!["path"]!.ToString(), From: $"{secret["name"]}/{item["key"]}"))
                    : secrets[secret["name"]!.ToString()].Select(key => (File: key, From: $"{secret["name"]}/{key}"))
            )
            .ToDictionary(file => file.File, file => file.From);

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Reference();
}
