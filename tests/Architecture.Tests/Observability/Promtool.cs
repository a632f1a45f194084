using System.Diagnostics;

namespace Orders.Architecture.Tests.Observability;

/// <summary>Prometheus' own checks. PROMTOOL names another program.</summary>
internal static class Promtool
{
    /// <summary>Runs it to its end.</summary>
    /// <returns>The exit code, and what it printed.</returns>
    public static Task<(int Code, string Text)> RunAsync(params string[] arguments) =>
        RunAsync(Find("PROMTOOL", "promtool"), arguments);

    /// <summary>A program that <c>./dev test</c> has found or fetched.</summary>
    /// <param name="variable">The variable that names it.</param>
    /// <param name="name">Its name; without the variable it is looked for where <c>./dev test</c> puts it.</param>
    public static string Find(string variable, string name)
    {
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named)
            return named;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } own
            ? own
            : $"{home}/.cache";
        var fetched = $"{cache}/orders/prometheus/usr/bin/{name}";
        return File.Exists(fetched) ? fetched : name;
    }

    private static async Task<(int Code, string Text)> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(output));
    }
}
