using System.Diagnostics;

namespace Orders.Bench.Load.Servers;

/// <summary>A short command whose output is wanted.</summary>
public static class Command
{
    /// <exception cref="InvalidOperationException">The command ended with another code than 0; the message holds what
    /// it said.</exception>
    public static Task<string> RunAsync(string file, params string[] arguments) => RunAsync(file, arguments, []);

    /// <inheritdoc cref="RunAsync(string, string[])"/>
    public static async Task<string> RunAsync(string file, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? (await output).Trim()
            : throw new InvalidOperationException(
                $"`{file} {string.Join(' ', arguments)}` ended with {process.ExitCode}: {(await errors).Trim()}"
            );
    }
}
