using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>What <c>kubectl kustomize</c> makes of an overlay in <c>deploy/kubernetes</c>. KUBECTL names another one.</summary>
internal static class Kustomize
{
    /// <summary>Where the overlays are.</summary>
    public const string Folder = "deploy/kubernetes";

    private static readonly Lazy<Task<IReadOnlyList<JsonObject>>> Demo = new(() => BuildAsync("demo"));
    private static readonly Lazy<Task<IReadOnlyList<JsonObject>>> Production = new(() => BuildAsync("production"));

    /// <summary>The objects of an overlay, made once.</summary>
    public static Task<IReadOnlyList<JsonObject>> ObjectsAsync(string overlay) =>
        overlay switch
        {
            "demo" => Demo.Value,
            "production" => Production.Value,
            _ => throw new ArgumentException($"Expected demo or production, got '{overlay}'."),
        };

    /// <summary>Makes the objects of an overlay anew.</summary>
    /// <param name="overlay">Its folder.</param>
    /// <param name="change">Changes the copy of the files, of which it is given the folder.</param>
    public static async Task<IReadOnlyList<JsonObject>> BuildAsync(string overlay, Action<string>? change = null)
    {
        var copy = Directory.CreateTempSubdirectory("orders-kubernetes-").FullName;
        try
        {
            foreach (var path in Repository.Find(Folder, "*").Where(path => !path.Contains("/values/")))
            {
                var to = Path.Combine(copy, Path.GetRelativePath(Folder, path));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(Path.Combine(Repository.Root, path), to);
            }

            change?.Invoke(copy);
            // Secrets are made up, as an operator does it.
            await RunAsync("bash", Path.Combine(Repository.Root, Folder, "secrets/make"), copy);
            var kubectl = Environment.GetEnvironmentVariable("KUBECTL") is { Length: > 0 } named ? named : "kubectl";
            return [.. Parse(await RunAsync(kubectl, "kustomize", Path.Combine(copy, overlay)))];
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <summary>The objects of YAML documents, with the types that Kubernetes sees.</summary>
    public static IEnumerable<JsonObject> Parse(string yaml)
    {
        var deserializer = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
        var parser = new Parser(new StringReader(yaml));
        parser.Consume<StreamStart>();
        while (parser.Accept<DocumentStart>(out _))
        {
            if (NodeOf(deserializer.Deserialize<object?>(parser)) is JsonObject document)
                yield return document;
        }
    }

    private static JsonNode? NodeOf(object? value) =>
        value switch
        {
            null => null,
            IDictionary<object, object?> map => new JsonObject(
                map.Select(pair => KeyValuePair.Create((string)pair.Key, NodeOf(pair.Value)))
            ),
            IList<object?> list => new JsonArray([.. list.Select(NodeOf)]),
            bool flag => JsonValue.Create(flag),
            string text => JsonValue.Create(text),
            float or double or decimal => JsonValue.Create(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
            _ => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        };

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, await errors);
        return await output;
    }
}
