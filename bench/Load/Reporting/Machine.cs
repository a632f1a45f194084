using System.Globalization;
using System.Runtime.InteropServices;
using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load.Reporting;

/// <summary>Where and on which source a run was made.</summary>
public static class Machine
{
    public static async Task<string> DescribeAsync()
    {
        var cpu = (await File.ReadAllLinesAsync("/proc/cpuinfo"))
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':')[1]
            .Trim();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1073741824.0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} × {cpu ?? "unknown CPU"}, {memory:0} GiB, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}"
        );
    }

    /// <summary>The commit, with a plus when the working tree differs from it.</summary>
    public static async Task<string> CommitAsync()
    {
        var commit = await Command.RunAsync("git", "rev-parse", "--short", "HEAD");
        return await Command.RunAsync("git", "status", "--porcelain", "--untracked-files=no") == ""
            ? commit
            : commit + "+";
    }
}
