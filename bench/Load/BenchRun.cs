using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>
/// All rounds of all systems, alternating: a machine that gets slower in the meantime slows everybody.
/// </summary>
public sealed class BenchRun(BenchOptions options, Folders folders, Action<string> progress)
{
    public async Task<Report> RunAsync(CancellationToken cancel)
    {
        var (machine, commit) = (await Machine.DescribeAsync(), await Machine.CommitAsync());
        await using var servers = new RunningServers(folders);
        progress("starting PostgreSQL and the brokers");
        await servers.StartAsync(options.Systems, cancel);
        var systems = options.Systems.Select(name => SystemCatalogue.Create(name, servers)).ToList();
        var rounds = systems.ToDictionary(system => system.Name, _ => new List<Figures>());
        for (var number = 1; number <= options.Rounds; number++)
        {
            foreach (var system in systems)
            {
                var prefix = $"[{number}/{options.Rounds}] ";
                var logs = Directory.CreateDirectory(Path.Combine(folders.Logs, $"{number}-{system.Name}")).FullName;
                var round = new Round(options, servers, logs, line => progress(prefix + line));
                rounds[system.Name].Add(await round.RunAsync(system, cancel));
            }
        }

        return new Report(
            machine,
            commit,
            options,
            [.. systems.Select(s => new SystemReport(s.Name, s.Durability, rounds[s.Name]))]
        );
    }
}
