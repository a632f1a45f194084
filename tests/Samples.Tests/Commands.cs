using System.Diagnostics;

namespace Orders.Samples.Tests;

/// <summary>Runs programs beside the tests.</summary>
internal static class Commands
{
    /// <summary>The top folder of the repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Runs a program to its end, and kills it when that takes too long.</summary>
    public static async Task<(int Code, string Output)> RunAsync(ProcessStartInfo start, TimeSpan within)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(within);
        await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(CancellationToken.None);
        var text = $"{await output}{await error}";
        Assert.That(patience.IsCancellationRequested, Is.False, $"still runs after {within}: {text}");
        return (process.ExitCode, text);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orders.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Orders.sln above the tests.");
        return folder.FullName;
    }
}
