using Orders.Bench.Load.Accounting;
using Orders.Bench.Load.Driving;
using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Servers;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>The closed loop, from the first POST until half a second after the last effect, and what it cost.</summary>
public sealed class LoadedPhase(
    BenchOptions options,
    RunningServers servers,
    OrderClient client,
    Effects effects,
    IReadOnlyList<IResourceAccount> accounts,
    IBroker broker
)
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    /// <param name="orders">The orders to post.</param>
    /// <param name="posted">How many the effects know of when these are done.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task<Figures> RunAsync(byte[][] orders, int posted, CancellationToken cancel)
    {
        var (walBefore, messagesBefore) = (
            await servers.Postgres.WalBytesAsync(cancel),
            await broker.MessagesAsync(cancel)
        );
        var (cpuBefore, machineBefore, ownBefore) = (
            CpuReading.Of(accounts),
            MachineReading.Now(),
            Environment.CpuUsage.TotalTime
        );
        var start = DateTime.UtcNow;
        var latencies = await ClosedLoop.RunAsync(client, orders, options.Clients, cancel);
        await effects.WaitForAllAsync(posted, cancel);
        var end = await effects.LastAtAsync(cancel);
        await Task.Delay(Settle, cancel); // acknowledgements and log flushes after the last effect belong to the price
        var cpu = CpuReading.Of(accounts).Since(cpuBefore);
        var ours = cpu.Values.Aggregate(Environment.CpuUsage.TotalTime - ownBefore, (sum, group) => sum + group);
        return new Figures
        {
            OthersCpuPercent = MachineReading.Now().OthersPercentSince(machineBefore, ours),
            OrdersPerSecond = orders.Length / (end - start).TotalSeconds,
            CpuByGroup = cpu.ToDictionary(group => group.Key, group => group.Value.TotalSeconds * 1000 / orders.Length),
            PostP50Ms = latencies.P50,
            PostP95Ms = latencies.P95,
            PostP99Ms = latencies.P99,
            PostMaxMs = latencies.Max,
            WalBytesPerOrder = (double)(await servers.Postgres.WalBytesAsync(cancel) - walBefore) / orders.Length,
            MessagesPerOrder = (double)(await broker.MessagesAsync(cancel) - messagesBefore) / orders.Length,
            RssMb = accounts.ToDictionary(account => account.Group, account => account.MemoryBytes() / 1048576.0),
        };
    }
}
