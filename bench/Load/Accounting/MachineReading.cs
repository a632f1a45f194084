using System.Globalization;

namespace Orders.Bench.Load.Accounting;

/// <summary>
/// How busy the whole machine was, to tell how much of it somebody else used: on a shared machine rates and latencies
/// say little.
/// </summary>
public sealed class MachineReading
{
    private const int Idle = 3;
    private const int IoWait = 4;

    private readonly long busy;
    private readonly long total;

    private MachineReading(long busy, long total) => (this.busy, this.total) = (busy, total);

    /// <summary>
    /// From the first line of /proc/stat; its first eight figures add up to all time there was, guests being part of
    /// user time.
    /// </summary>
    public static MachineReading Now()
    {
        var ticks = File.ReadLines("/proc/stat")
            .First()
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(t => long.Parse(t, CultureInfo.InvariantCulture))
            .ToArray();
        var total = ticks.Sum();
        return new MachineReading(total - ticks[Idle] - ticks[IoWait], total);
    }

    /// <summary>
    /// Per cent of all cores that were busy since <paramref name="before"/> with something else than
    /// <paramref name="ours"/>.
    /// </summary>
    public double OthersPercentSince(MachineReading before, TimeSpan ours) =>
        Math.Max(
            0,
            100.0 * (busy - before.busy - (ours.TotalSeconds * ProcessTree.TicksPerSecond)) / (total - before.total)
        );
}
