using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Settings;

/// <summary>What docker-compose.yml makes of a <c>.env</c>, as <c>docker compose config</c> prints it.</summary>
internal static partial class ComposeConfig
{
    /// <summary>The variables that docker-compose.yml insists on.</summary>
    public static IReadOnlyList<string> Required { get; } =
    [
        .. RequiredVariable()
            .Matches(Repository.Read("docker-compose.yml"))
            .Select(m => m.Groups[1].Value)
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The services and their environments.</summary>
    /// <param name="env">The text of <c>.env</c>, which is in a folder of its own beside copies of the files of
    /// compose.</param>
    public static async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> OfAsync(string env)
    {
        using var config = await ModelAsync(env);
        return config
            .RootElement.GetProperty("services")
            .EnumerateObject()
            .ToDictionary(
                service => service.Name,
                IReadOnlyDictionary<string, string> (service) => EnvironmentOf(service.Value)
            );
    }

    /// <summary>Everything that compose makes of the files.</summary>
    /// <param name="env">The text of <c>.env</c>.</param>
    /// <param name="files">The compose files, separated by colons.</param>
    /// <param name="profiles">The profiles that are on; null for those of <c>.env</c>.</param>
    public static async Task<JsonDocument> ModelAsync(
        string env,
        string files = "docker-compose.yml",
        string? profiles = "*"
    )
    {
        var folder = Directory.CreateTempSubdirectory("orders-compose-").FullName;
        try
        {
            string[] folders =
            [
                "settings",
                "email",
                "tls",
                "cluster",
                "pgbouncer",
                "replica",
                "observability",
                "chaos",
            ];
            foreach (
                var file in folders
                    .SelectMany(name => Repository.Find($"deploy/{name}", "*"))
                    .Concat(Directory.EnumerateFiles(Repository.Root, "docker-compose*.yml").Select(Path.GetFileName))
            )
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file!))!);
                File.Copy(Path.Combine(Repository.Root, file!), Path.Combine(folder, file!));
            }

            await File.WriteAllTextAsync(Path.Combine(folder, ".env"), env);
            return JsonDocument.Parse(await RunAsync(folder, files, profiles));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, string> EnvironmentOf(JsonElement service) =>
        service.TryGetProperty("environment", out var environment)
            ? environment
                .EnumerateObject()
                .Where(variable => variable.Value.ValueKind == JsonValueKind.String)
                .ToDictionary(
                    variable => variable.Name,
                    // What is printed is a compose file again, in which a dollar is written twice.
                    variable => variable.Value.GetString()!.Replace("$$", "$", StringComparison.Ordinal)
                )
            : [];

    private static async Task<string> RunAsync(string folder, string files, string? profiles)
    {
        var start = new ProcessStartInfo("docker", ["compose", "config", "--format", "json"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A variable of the shell would win over the file.
        foreach (var name in start.Environment.Keys.Where(name => name is not ("PATH" or "HOME")).ToArray())
            start.Environment.Remove(name);
        start.Environment["COMPOSE_FILE"] = files;
        if (profiles is not null)
            start.Environment["COMPOSE_PROFILES"] = profiles;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, await errors);
        return await output;
    }

    [GeneratedRegex(@"\$\{([A-Z0-9_]+):\?")]
    private static partial Regex RequiredVariable();
}
