namespace Orders.Bench.Load.Accounting;

/// <summary>The CPU time of every group at one moment.</summary>
public sealed class CpuReading
{
    private readonly Dictionary<string, TimeSpan> byGroup;

    private CpuReading(Dictionary<string, TimeSpan> byGroup) => this.byGroup = byGroup;

    public static CpuReading Of(IEnumerable<IResourceAccount> accounts) =>
        new(accounts.ToDictionary(account => account.Group, account => account.Cpu()));

    public Dictionary<string, TimeSpan> Since(CpuReading before) =>
        byGroup.ToDictionary(group => group.Key, group => group.Value - before.byGroup[group.Key]);
}
