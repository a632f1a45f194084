using System.Diagnostics;

namespace Orders.Architecture.Tests;

/// <summary>A host as a process, beside the tests. Nothing that its configuration names is ever reached.</summary>
internal static class HostProcess
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="host">Its name, such as <c>Workers</c>.</param>
    /// <param name="arguments">The command and more.</param>
    /// <param name="settings">Environment variables.</param>
    public static async Task<(int Code, string Error)> RunAsync(
        string host,
        string[] arguments,
        params (string Name, string Value)[] settings
    )
    {
        var dll = Path.Combine(AppContext.BaseDirectory, $"Orders.{host}.dll");
        var start = new ProcessStartInfo("dotnet", [dll, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{host} still runs after 3 min: {await output}");
        }

        return (process.ExitCode, await error);
    }
}
