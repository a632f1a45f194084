namespace Orders.Bench.Load.Reporting;

public sealed record SystemReport(string Name, string Durability, IReadOnlyList<Figures> Rounds)
{
    public Figures Median { get; } = Figures.Median(Rounds);
}

/// <summary>
/// A whole run. Ratios are the first system's figure divided by the other's: Orders is first whenever it takes part.
/// </summary>
public sealed record Report(string Machine, string Commit, BenchOptions Options, IReadOnlyList<SystemReport> Systems)
{
    public SystemReport Base => Systems[0];

    public IEnumerable<SystemReport> Others => Systems.Skip(1);

    /// <summary>
    /// A warning when somebody else used the machine too, else null. Kernel threads alone stay below this.
    /// </summary>
    public string? Disturbance =>
        Systems.Max(system => system.Median.OthersCpuPercent) is var others and > 10
            ? $"The machine was shared: others used up to {Math.Round(others)} % of it. Rates and latencies, and their ratios, say little then; CPU per order holds better. Repeat it on a quiet machine."
            : null;

    public double CpuRatio(SystemReport other) => Base.Median.CpuSecondsPer1000 / other.Median.CpuSecondsPer1000;

    public double RateRatio(SystemReport other) => Base.Median.OrdersPerSecond / other.Median.OrdersPerSecond;
}
