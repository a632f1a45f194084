using System.Globalization;

namespace Orders.Bench.Load.Accounting;

/// <summary>
/// A process and its descendants, from /proc/&lt;pid&gt;/stat. Children that ended are in their parent's cutime and
/// cstime, so a snapshot process that Redis forked and reaped is still paid for.
/// </summary>
public sealed class ProcessTree(string group, int rootPid) : IResourceAccount
{
    // USER_HZ: the unit of /proc/<pid>/stat, 100 on every Linux that .NET runs on, whatever the kernel's own HZ is.
    public const int TicksPerSecond = 100;

    public string Group => group;

    public TimeSpan Cpu() => TimeSpan.FromSeconds((double)Members().Sum(p => p.Ticks) / TicksPerSecond);

    public long MemoryBytes() => Members().Sum(p => p.ResidentPages) * Environment.SystemPageSize;

    private List<Stat> Members()
    {
        var all = Directory
            .EnumerateDirectories("/proc")
            .Select(path =>
                int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) ? Stat.Read(pid) : null
            )
            .OfType<Stat>()
            .ToLookup(stat => stat.Parent);
        var root =
            Stat.Read(rootPid)
            ?? throw new InvalidOperationException(
                $"process {rootPid} of group {group} is gone: it ended in mid-run, see its log"
            );
        List<Stat> members = [root];
        for (var i = 0; i < members.Count; i++)
            members.AddRange(all[members[i].Pid]);
        return members;
    }

    private sealed record Stat(int Pid, int Parent, long Ticks, long ResidentPages)
    {
        public static Stat? Read(int pid)
        {
            string text;
            try
            {
                text = File.ReadAllText($"/proc/{pid}/stat");
            }
            catch (IOException)
            {
                return null; // it ended between the listing and the reading
            }

            // The name in parentheses may hold spaces, so the fields are counted from the last parenthesis: proc(5)
            // field 3 is [0].
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
            return new Stat(pid, (int)Field(4), Field(14) + Field(15) + Field(16) + Field(17), Field(24));
        }
    }
}
