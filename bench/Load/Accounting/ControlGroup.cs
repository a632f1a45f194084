using System.Globalization;

namespace Orders.Bench.Load.Accounting;

/// <summary>
/// A container's control group: every process in it, also database backends that came and went between two readings.
/// Understands cgroup v2 (cpu.stat) and v1 (cpuacct.usage).
/// </summary>
public sealed class ControlGroup : IResourceAccount
{
    private readonly string? cpuUsage;
    private readonly string? cpuStat;
    private readonly string memoryStat;

    public ControlGroup(string group, int pid)
    {
        Group = group;
        var paths = File.ReadLines($"/proc/{pid}/cgroup")
            .Select(line => line.Split(':', 3))
            .ToDictionary(parts => parts[1], parts => parts[2]);
        var accounting = paths.Keys.FirstOrDefault(controllers => controllers.Split(',').Contains("cpuacct"));
        if (accounting is not null)
        {
            cpuUsage = Existing($"/sys/fs/cgroup/{accounting}{paths[accounting]}/cpuacct.usage");
            memoryStat = Existing($"/sys/fs/cgroup/memory{paths["memory"]}/memory.stat");
        }
        else
        {
            cpuStat = Existing($"/sys/fs/cgroup{paths[""]}/cpu.stat");
            memoryStat = Existing($"/sys/fs/cgroup{paths[""]}/memory.stat");
        }
    }

    public string Group { get; }

    public TimeSpan Cpu() =>
        cpuUsage is not null
            ? TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(cpuUsage), CultureInfo.InvariantCulture) / 1000.0)
            : TimeSpan.FromMicroseconds(Value(cpuStat!, "usage_usec"));

    /// <summary>
    /// Private memory plus shared memory counted once: summing the backends' RSS would count shared_buffers for each of
    /// them.
    /// </summary>
    public long MemoryBytes() =>
        cpuUsage is not null
            ? Value(memoryStat, "total_rss") + Value(memoryStat, "total_shmem")
            : Value(memoryStat, "anon") + Value(memoryStat, "shmem");

    private static long Value(string file, string key) =>
        long.Parse(
            File.ReadLines(file).First(line => line.StartsWith(key + " ", StringComparison.Ordinal))[
                (key.Length + 1)..
            ],
            CultureInfo.InvariantCulture
        );

    private string Existing(string path) =>
        File.Exists(path)
            ? path
            : throw new InvalidOperationException(
                $"expected the control group of {Group} at {path}, found nothing: the bench needs a Docker engine on this very machine"
            );
}
