using System.Diagnostics;

namespace Orders.Chaos.Running;

/// <summary>The docker command.</summary>
internal static class Docker
{
    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0; the message holds what it
    /// said.</exception>
    public static async Task<string> RunAsync(params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (await output).Trim()
            : throw new InvalidOperationException(
                $"`docker {string.Join(' ', arguments)}` ended with {process.ExitCode}: {(await errors).Trim()}"
            );
    }
}
