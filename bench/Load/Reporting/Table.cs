using System.Globalization;

namespace Orders.Bench.Load.Reporting;

/// <summary>The rows both the terminal and the Markdown table show; the first row is the heading.</summary>
public static class Table
{
    public static List<string[]> Comparison(Report report) =>
        [
            [
                "system",
                "CPU s/1,000",
                "ratio",
                "orders/s",
                "ratio",
                "POST p50",
                "p95",
                "p99",
                "max ms",
                "open p99",
                "idle ms",
                "idle CPU %",
                "WAL kB",
                "msgs",
                "others %",
            ],
            .. report.Systems.Select(system => Row(report, system)),
        ];

    public static List<string[]> Resources(Report report) =>
        [
            ["system", "group", "CPU s/1,000", "RSS MB", "idle CPU %"],
            .. report.Systems.SelectMany(system => system.Median.CpuByGroup.Keys.Select(group => Row(system, group))),
        ];

    private static string[] Row(Report report, SystemReport system)
    {
        var f = system.Median;
        return
        [
            system.Name,
            Show(f.CpuSecondsPer1000, "0.00"),
            Show(report.CpuRatio(system), "0.00"),
            Show(f.OrdersPerSecond, "0"),
            Show(report.RateRatio(system), "0.00"),
            Show(f.PostP50Ms, "0.0"),
            Show(f.PostP95Ms, "0.0"),
            Show(f.PostP99Ms, "0.0"),
            Show(f.PostMaxMs, "0"),
            Show(f.OpenP99Ms, "0.0"),
            Show(f.IdleP50Ms, "0.0"),
            Show(f.ProgramsIdleCpuPercent, "0.0"),
            Show(f.WalBytesPerOrder / 1024, "0.0"),
            Show(f.MessagesPerOrder, "0.0"),
            Show(f.OthersCpuPercent, "0"),
        ];
    }

    private static string[] Row(SystemReport system, string group) =>
        [
            system.Name,
            group,
            Show(system.Median.CpuByGroup[group], "0.00"),
            Show(system.Median.RssMb[group], "0"),
            Show(system.Median.IdleCpuPercent[group], "0.0"),
        ];

    private static string Show(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
