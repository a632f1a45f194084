using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orders.AppHost;

/// <summary>
/// The services of docker-compose.yml with the values of <c>.env</c>, as compose itself puts them together. So a
/// setting, a step or a password is written once, and both ways of starting the hosts have it.
/// </summary>
internal static class ComposeFile
{
    /// <summary>Reads the services.</summary>
    /// <param name="folder">The folder of docker-compose.yml. When it has no <c>.env</c>, <c>./dev env</c> makes one.</param>
    /// <exception cref="ComposeException">A program is missing, or compose finds a fault.</exception>
    public static async Task<IReadOnlyList<ComposeService>> ReadAsync(string folder)
    {
        if (!File.Exists(Path.Combine(folder, ".env")))
            await RunAsync(folder, "bash", "dev", "env");
        // This file alone, whatever COMPOSE_FILE says: TLS, clusters and poolers are for containers.
        var model = await RunAsync(
            folder,
            "docker",
            "compose",
            "--file",
            "docker-compose.yml",
            "config",
            "--format",
            "json"
        );
        var services = JsonNode.Parse(model)!["services"]!.AsObject();
        return [.. services.Select(service => new ComposeService(service.Key, service.Value!))];
    }

    private static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var command = $"{program} {string.Join(' ', arguments)}";
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0
                ? output
                : throw new ComposeException($"'{command}' in {folder} failed: {(await errors).Trim()}");
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new ComposeException(
                $"Expected the program '{program}' for '{command}', found none: {missing.Message}. Install it (README.md, Requirements)."
            );
        }
    }
}
