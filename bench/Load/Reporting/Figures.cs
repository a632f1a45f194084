using System.Globalization;
using System.Text.Json.Serialization;

namespace Orders.Bench.Load.Reporting;

/// <summary>What one round of one system measured, or the medians of several.</summary>
public sealed record Figures
{
    /// <summary>CPU seconds of all groups together for 1,000 orders; the load program is no group.</summary>
    public double CpuSecondsPer1000 => CpuByGroup.Values.Sum();

    /// <summary>From the first POST to the last effect.</summary>
    public double OrdersPerSecond { get; init; }

    public double PostP50Ms { get; init; }

    public double PostP95Ms { get; init; }

    public double PostP99Ms { get; init; }

    public double PostMaxMs { get; init; }

    /// <summary>Open loop: from the moment the order was due.</summary>
    public double OpenP50Ms { get; init; }

    public double OpenP99Ms { get; init; }

    /// <summary>Idle system, from POST to the last effect seen.</summary>
    public double IdleP50Ms { get; init; }

    public double IdlePostP50Ms { get; init; }

    public double IdlePostP99Ms { get; init; }

    public double WalBytesPerOrder { get; init; }

    public double MessagesPerOrder { get; init; }

    /// <summary>
    /// Per cent of all cores that neither the system nor the load program used: kernel work, and whoever else was on
    /// the machine.
    /// </summary>
    public double OthersCpuPercent { get; init; }

    public Dictionary<string, double> RssMb { get; init; } = [];

    /// <summary>CPU seconds per 1,000 orders.</summary>
    public Dictionary<string, double> CpuByGroup { get; init; } = [];

    /// <summary>Per cent of one core, with nothing to do.</summary>
    public Dictionary<string, double> IdleCpuPercent { get; init; } = [];

    /// <summary>
    /// Per cent of one core that API and worker together take with nothing to do; broker and database aside.
    /// </summary>
    public double ProgramsIdleCpuPercent =>
        IdleCpuPercent.Where(group => group.Key is "api" or "worker").Sum(group => group.Value);

    [JsonIgnore]
    public string Summary =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{CpuSecondsPer1000:0.00} CPU s/1,000, {OrdersPerSecond:0} orders/s, POST p99 {PostP99Ms:0.0} ms, idle {IdleP50Ms:0.0} ms; others on the machine {OthersCpuPercent:0} %"
        );

    public static Figures Median(IReadOnlyList<Figures> rounds)
    {
        return new Figures
        {
            OrdersPerSecond = Of(f => f.OrdersPerSecond),
            PostP50Ms = Of(f => f.PostP50Ms),
            PostP95Ms = Of(f => f.PostP95Ms),
            PostP99Ms = Of(f => f.PostP99Ms),
            PostMaxMs = Of(f => f.PostMaxMs),
            OpenP50Ms = Of(f => f.OpenP50Ms),
            OpenP99Ms = Of(f => f.OpenP99Ms),
            IdleP50Ms = Of(f => f.IdleP50Ms),
            IdlePostP50Ms = Of(f => f.IdlePostP50Ms),
            IdlePostP99Ms = Of(f => f.IdlePostP99Ms),
            WalBytesPerOrder = Of(f => f.WalBytesPerOrder),
            MessagesPerOrder = Of(f => f.MessagesPerOrder),
            OthersCpuPercent = Of(f => f.OthersCpuPercent),
            RssMb = ByGroup(f => f.RssMb),
            CpuByGroup = MedianRound(rounds).CpuByGroup,
            IdleCpuPercent = ByGroup(f => f.IdleCpuPercent),
        };

        double Of(Func<Figures, double> figure) => Middle(rounds.Select(figure));
        Dictionary<string, double> ByGroup(Func<Figures, Dictionary<string, double>> figure) =>
            figure(rounds[0])
                .Keys.ToDictionary(group => group, group => Middle(rounds.Select(round => figure(round)[group])));
    }

    // The groups of one real round, so that they add up to the total beside them.
    private static Figures MedianRound(IReadOnlyList<Figures> rounds) =>
        rounds.OrderBy(f => f.CpuSecondsPer1000).ElementAt((rounds.Count - 1) / 2);

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
