using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>
/// The Helm chart that <c>deploy/kubernetes/chart/make</c> makes, and what Helm makes of it: the few expressions that
/// its templates have. Any other one is a fault.
/// </summary>
internal sealed partial class Chart : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("orders-chart-").FullName;

    /// <summary>Its values, to be changed as a user does.</summary>
    public JsonObject Values { get; private set; } = [];

    /// <summary>Makes one of the files of the repository.</summary>
    public static async Task<Chart> MakeAsync()
    {
        var chart = new Chart();
        await RunAsync("bash", $"{Kustomize.Folder}/chart/make", chart.Folder);
        chart.Values = Kustomize.Parse(File.ReadAllText(Path.Combine(chart.Folder, "values.yaml"))).Single();
        return chart;
    }

    /// <summary>The objects of a release.</summary>
    /// <param name="space">Its namespace.</param>
    public IReadOnlyList<JsonObject> Render(string space)
    {
        var version = Kustomize.Parse(File.ReadAllText(Path.Combine(Folder, "Chart.yaml"))).Single()["appVersion"]!;
        return
        [
            .. Directory
                .GetFiles(Path.Combine(Folder, "templates"))
                .Order(StringComparer.Ordinal)
                .SelectMany(path => Kustomize.Parse(Render(File.ReadAllText(path), space, version.ToString()))),
        ];
    }

    /// <summary>The same by Helm itself, with the values as they were made.</summary>
    /// <param name="helm">The program.</param>
    /// <param name="space">The namespace.</param>
    public async Task<IReadOnlyList<JsonObject>> RenderByHelmAsync(string helm, string space) =>
        [
            .. Kustomize.Parse(
                await RunAsync(helm, "template", "orders", Folder, "--namespace", space, "--kube-version", "1.27.0")
            ),
        ];

    /// <inheritdoc />
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private string Render(string template, string space, string version)
    {
        var text = Condition()
            .Replace(
                template,
                m => Value($"create.{m.Groups["name"].Value}").GetValue<bool>() ? m.Groups["text"].Value : ""
            );
        text = Range().Replace(text, m => Settings(m.Groups["name"].Value));
        return Expression()
            .Replace(
                text,
                m =>
                    m.Groups[1].Value switch
                    {
                        ".Release.Namespace" => space,
                        ".Release.Revision" => "1",
                        ".Values.version | default .Chart.AppVersion" => Value("version").ToString()
                            is { Length: > 0 } own
                            ? own
                            : version,
                        "toYaml .Values.settings | sha256sum | quote" => Quoted(
                            Convert.ToHexStringLower(
                                SHA256.HashData(Encoding.UTF8.GetBytes(Value("settings").ToJsonString()))
                            )
                        ),
                        var path when path.StartsWith(".Values.", StringComparison.Ordinal) => Value(
                                path[".Values.".Length..]
                            )
                            .ToString(),
                        var other => throw new InvalidOperationException($"No such expression is known here: {other}"),
                    }
            );
    }

    private JsonNode Value(string path) =>
        path.Split('.')
            .Aggregate(
                (JsonNode)Values,
                (node, name) =>
                    node[name]
                    ?? throw new InvalidOperationException($"values.yaml has no '{path}', which a template names.")
            );

    private string Settings(string name) =>
        string.Concat(Values["settings"]![name]!.AsObject().Select(s => $"  {s.Key}: {Quoted(s.Value!.ToString())}\n"));

    private static string Quoted(string text) => JsonValue.Create(text).ToJsonString();

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, await errors);
        return await output;
    }

    [GeneratedRegex(
        @"\A\{\{- if \.Values\.create\.(?<name>\w+) \}\}\n(?<text>.*)\{\{- end \}\}\n\z",
        RegexOptions.Singleline
    )]
    private static partial Regex Condition();

    [GeneratedRegex(
        @"^  \{\{- range \$name, \$value := index \.Values\.settings ""(?<name>[a-z-]+)"" \}\}\n  \{\{ \$name \}\}: \{\{ \$value \| quote \}\}\n  \{\{- end \}\}\n",
        RegexOptions.Multiline
    )]
    private static partial Regex Range();

    [GeneratedRegex(@"\{\{-? (.+?) \}\}")]
    private static partial Regex Expression();
}
