using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Orders.Workers.Tests;

/// <summary>The environment that docker-compose.yml gives a service, resolved by <c>docker compose config</c>.</summary>
internal static partial class ComposeSettings
{
    /// <summary>Resolves the environment of a service for a <c>.env</c> with these settings and the passwords.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> OfAsync(
        string service,
        params (string Name, string Value)[] settings
    )
    {
        var file = Path.Combine(Root, "docker-compose.yml");
        var required = RequiredPattern()
            .Matches(await File.ReadAllTextAsync(file))
            .Select(m => m.Groups[1].Value)
            .Distinct();
        var env = Path.GetTempFileName();
        try
        {
            await File.WriteAllLinesAsync(
                env,
                [.. required.Select(name => $"{name}=x"), .. settings.Select(s => $"{s.Name}={s.Value}")]
            );
            using var config = JsonDocument.Parse(
                await RunAsync(
                    "compose",
                    "--project-directory",
                    Root,
                    "--file",
                    file,
                    "--env-file",
                    env,
                    "config",
                    "--format",
                    "json"
                )
            );
            return config
                .RootElement.GetProperty("services")
                .GetProperty(service)
                .GetProperty("environment")
                .EnumerateObject()
                .Where(variable => variable.Value.ValueKind == JsonValueKind.String)
                .ToDictionary(variable => variable.Name, variable => variable.Value.GetString()!);
        }
        finally
        {
            File.Delete(env);
        }
    }

    private static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "docker-compose.yml")))
                folder = folder.Parent
                    ?? throw new InvalidOperationException(
                        $"Expected docker-compose.yml above {AppContext.BaseDirectory}, found none."
                    );
            return folder.FullName;
        }
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A variable of the shell would win over the file.
        foreach (
            var name in start
                .Environment.Keys.Where(n =>
                    n.StartsWith("SMTP_", StringComparison.Ordinal) || n.StartsWith("EMAIL_", StringComparison.Ordinal)
                )
                .ToArray()
        )
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"`docker {string.Join(' ', arguments)}` ended with {process.ExitCode}: {await errors}"
            );
    }

    [GeneratedRegex(@"\$\{([A-Z0-9_]+):\?")]
    private static partial Regex RequiredPattern();
}
