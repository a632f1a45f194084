namespace Orders.Bench.Load.Systems;

/// <summary>Every system the bench knows, in the order of the table.</summary>
public static class SystemCatalogue
{
    private static readonly Dictionary<string, Func<RunningServers, BenchSystem>> Known = new()
    {
        [OrdersSystem.Name] = servers => OrdersSystem.Create(servers),
        ["bullmq-one"] = servers => Comparators.BullMq("one", servers),
        ["bullmq-four"] = servers => Comparators.BullMq("four", servers),
        ["masstransit-plain"] = Comparators.MassTransitPlain,
    };

    public static IReadOnlyCollection<string> Names => Known.Keys;

    public static BenchSystem Create(string name, RunningServers servers) => Known[name](servers);

    /// <summary>The names a word on the command line stands for: `bullmq` means both of its variants.</summary>
    public static IEnumerable<string> Expand(string word) =>
        word == "bullmq" ? Known.Keys.Where(name => name.StartsWith("bullmq-", StringComparison.Ordinal)) : [word];
}
