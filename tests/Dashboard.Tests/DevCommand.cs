using System.Diagnostics;
using System.Globalization;

namespace Orders.Dashboard.Tests;

/// <summary>Runs <c>./dev</c> as an operator types it, against a dashboard of the tests.</summary>
internal static class DevCommand
{
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        Uri dashboard,
        string key,
        string[] arguments,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo("bash")
        {
            WorkingDirectory = Root(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("./dev");
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["BIND_ADDRESS"] = dashboard.Host;
        start.Environment["DASHBOARD_PORT"] = dashboard.Port.ToString(CultureInfo.InvariantCulture);
        start.Environment["ORDERS_OPERATOR_KEY"] = key;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start.");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "dev")))
            folder =
                folder.Parent
                ?? throw new DirectoryNotFoundException(
                    $"Expected ./dev in a folder above {AppContext.BaseDirectory}, found none; run the tests inside the repository."
                );
        return folder.FullName;
    }
}
