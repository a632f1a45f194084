using Npgsql;
using Orders.Bench.Load.Accounting;
using Orders.Bench.Load.Driving;
using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Servers;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>
/// One system, once, alone on the machine: fresh database and broker, fresh processes, warm-up, closed loop, open loop,
/// single orders, silence, and at the end the proof that every order has each effect once.
/// </summary>
public sealed class Round(BenchOptions options, RunningServers servers, string logs, Action<string> progress)
{
    private const int IdleOrders = 100;
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    // Until then the compilers of the runtimes are busy with what the load has made hot (measured: 3 to 5 % of a core
    // in the first ten seconds, 1.4 to 1.8 % from then on).
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan OpenLoopLength = TimeSpan.FromSeconds(5);

    private readonly OrderBodies bodies = new(options.Seed);
    private int posted;

    public async Task<Figures> RunAsync(BenchSystem system, CancellationToken cancel)
    {
        await system.Broker.ResetAsync(cancel);
        await servers.Postgres.CreateDatabaseAsync(system.Database, cancel);
        await system.Prepare(cancel);
        await servers.Postgres.CheckpointAsync(cancel);
        await using var programs = new RunningPrograms(system.Programs, logs);
        using var client = new OrderClient(system.Url, system.Headers, options.Clients);
        foreach (var url in system.Ready)
            await Deadline.UntilAsync(
                $"{system.Name} to be ready at {url}",
                TimeSpan.FromSeconds(60),
                () => client.IsReadyAsync(url, cancel),
                cancel
            );
        await using var database = NpgsqlDataSource.Create(servers.Postgres.ConnectionString(system.Database));
        var effects = new Effects(database, system.Queries);

        progress($"{system.Name}: warm-up, {options.Warmup} orders");
        await ClosedLoop.RunAsync(client, Next(options.Warmup), options.Clients, cancel);
        await effects.WaitForAllAsync(posted, cancel);
        await effects.AnalyzeAsync(cancel);
        await Task.Delay(Settle, cancel);

        List<IResourceAccount> accounts = [.. programs.Accounts, servers.Postgres.Account, system.Broker.Account];
        var figures = await new LoadedPhase(options, servers, client, effects, accounts, system.Broker).RunAsync(
            Next(options.Orders),
            posted,
            cancel
        );
        figures = await OpenLoopAsync(figures, client, effects, cancel);
        figures = await IdleAsync(figures, client, effects, accounts, cancel);
        await effects.VerifyAsync(posted, cancel);
        progress($"{system.Name}: {figures.Summary}");
        return figures;
    }

    private async Task<Figures> OpenLoopAsync(
        Figures figures,
        OrderClient client,
        Effects effects,
        CancellationToken cancel
    )
    {
        var orders = Next((int)(options.Rate * OpenLoopLength.TotalSeconds));
        var latencies = await OpenLoop.RunAsync(client.PostAsync, orders, options.Rate, options.Clients, cancel);
        await effects.WaitForAllAsync(posted, cancel);
        return figures with { OpenP50Ms = latencies.P50, OpenP99Ms = latencies.P99 };
    }

    private async Task<Figures> IdleAsync(
        Figures figures,
        OrderClient client,
        Effects effects,
        List<IResourceAccount> accounts,
        CancellationToken cancel
    )
    {
        await Task.Delay(Settle, cancel);
        var probe = new IdleProbe(client, effects);
        await probe.RunAsync(Next(IdleOrders), cancel);
        await Task.Delay(Rest, cancel);
        var before = CpuReading.Of(accounts);
        await Task.Delay(Silence, cancel);
        var cpu = CpuReading.Of(accounts).Since(before);
        return figures with
        {
            IdleP50Ms = probe.Finished.P50,
            IdlePostP50Ms = probe.Answered.P50,
            IdlePostP99Ms = probe.Answered.P99,
            IdleCpuPercent = cpu.ToDictionary(group => group.Key, group => 100 * group.Value / Silence),
        };
    }

    private byte[][] Next(int count) => bodies.Bodies((posted += count) - count, count);
}
