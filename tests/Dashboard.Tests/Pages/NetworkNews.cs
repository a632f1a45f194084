using System.Collections;
using System.Diagnostics;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// Starts a browser that hears nothing of changes of the machine's networks (network-news.c): containers start and stop
/// beside the tests, and a browser that hears of it gives up the connections that it is making.
/// </summary>
internal static class NetworkNews
{
    /// <summary>This process's environment, with the library in front of the C library; only Linux has the news.</summary>
    /// <exception cref="InvalidOperationException">There is no C compiler, or it refuses.</exception>
    public static async Task<Dictionary<string, string>> WithoutAsync()
    {
        var environment = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
        if (OperatingSystem.IsLinux())
            environment["LD_PRELOAD"] = await BuildAsync();
        return environment;
    }

    private static async Task<string> BuildAsync()
    {
        var library = Path.Combine(AppContext.BaseDirectory, "network-news.so");
        var built = $"{library}.{Environment.ProcessId}";
        using var compiler = Process.Start(
            "cc",
            ["-shared", "-fPIC", "-O2", "-o", built, Path.Combine(AppContext.BaseDirectory, "Pages/network-news.c")]
        );
        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
            throw new InvalidOperationException(
                $"Expected cc to build network-news.c, it ended with {compiler.ExitCode}."
            );
        // In one go: a browser of another run may have the old one open.
        File.Move(built, library, overwrite: true);
        return library;
    }
}
