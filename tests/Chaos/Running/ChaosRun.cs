using System.Diagnostics;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Chaos.Planning;
using Orders.Chaos.Reporting;

namespace Orders.Chaos.Running;

/// <summary>
/// One run: the plan is written down, orders come, faults happen, everything is healed, the system comes to rest, and the checker looks at what is left.
/// </summary>
public sealed class ChaosRun(Installation installation, ChaosOptions options, Action<string> progress)
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(90);

    /// <summary>Runs it.</summary>
    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var scenario = Scenarios.Of(options);
        Directory.CreateDirectory(options.Folder);
        await File.WriteAllTextAsync(Path.Combine(options.Folder, "plan.txt"), $"{scenario.Plan}{Environment.NewLine}", cancellationToken);
        progress($"{scenario.Orders} orders at {scenario.Rate:0.#} a second, {scenario.Plan.Faults.Count} faults, seed {options.Seed}; plan, history and report in {options.Folder}");

        await using var history = new History(Path.Combine(options.Folder, "history.jsonl"));
        var broker = new BrokerEvidence(installation.Management, "/");
        var breaker = new Breaker(installation);
        var sampler = new Sampler(installation);
        using var sampling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var samples = scenario.MustStayFlat ? sampler.RunAsync(sampling.Token) : Task.CompletedTask;

        IReadOnlyList<FaultTimes> faults;
        using (var client = new ShopClient(installation.Api, installation.ApiKey, history, ClientPatience))
        {
            var orders = OpenLoop.RunAsync(new OrderBook(options.Seed), scenario.Orders, scenario.Rate, client, cancellationToken);
            try
            {
                faults = await BreakAsync(scenario.Plan, breaker, cancellationToken);
            }
            finally
            {
                await breaker.HealAsync(CancellationToken.None);
            }

            progress("healed; the last orders are coming in");
            await orders;
        }

        progress("draining");
        var drained = await new Rest(installation.Database, broker).WaitAsync(DrainPatience, LongestDrain, cancellationToken);
        await sampling.CancelAsync();
        await samples;

        progress("checking");
        var collector = new Collector(new DatabaseEvidence(installation.Database), new WorldEvidence(installation.World), broker);
        var findings = Checker.Check(await collector.ReadAsync(history.Events, cancellationToken: cancellationToken));
        return new Report(options, scenario, history.Events, await new RecoveryReader(installation.Database, history.Events).ReadAsync(faults, cancellationToken), findings, drained, sampler.Samples, watch.Elapsed);
    }

    private async Task<IReadOnlyList<FaultTimes>> BreakAsync(Plan plan, Breaker breaker, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        return await Task.WhenAll(plan.Faults.Select(async fault =>
        {
            var wait = fault.At - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, cancellationToken);
            progress(fault.ToString());
            return await breaker.CarryOutAsync(fault, cancellationToken);
        }));
    }
}
