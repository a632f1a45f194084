using System.Globalization;
using Npgsql;
using Orders.Bench.Load.Accounting;
using Orders.Bench.Load.Driving;
using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Servers;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>
/// Whether an order stays as cheap while the system grows: the same processes, measured with an empty database, with
/// messages that wait in the outbox, with millions of finished orders, and then with a backlog that was posted while no
/// worker ran.
/// </summary>
public sealed class GrowthRun(BenchOptions options, Folders folders, Action<string> progress)
{
    private readonly OrderBodies bodies = new(options.Seed);
    private int posted;

    public async Task<GrowthReport> RunAsync(CancellationToken cancel)
    {
        var (machine, commit) = (await Machine.DescribeAsync(), await Machine.CommitAsync());
        await using var servers = new RunningServers(folders);
        progress("starting PostgreSQL and RabbitMQ");
        await servers.StartAsync([OrdersSystem.Name], cancel);
        // As shipped it refuses orders while a million messages wait: that is a question of disk, and not the one asked
        // here.
        var system = OrdersSystem.Create(servers, outboxRows: 2L * options.Waiting + 1_000_000);
        await system.Broker.ResetAsync(cancel);
        await servers.Postgres.CreateDatabaseAsync(system.Database, cancel);
        await system.Prepare(cancel);
        await using var database = NpgsqlDataSource.Create(servers.Postgres.ConnectionString(system.Database));
        using var client = new OrderClient(system.Url, system.Headers, options.Clients);

        List<GrowthStage> stages = [];
        await using (var programs = new RunningPrograms(system.Programs, folders.Logs))
        {
            await ReadyAsync(system, client, cancel);
            List<IResourceAccount> accounts = [.. programs.Accounts, servers.Postgres.Account, system.Broker.Account];
            progress($"warm-up, {options.Warmup} orders");
            var effects = EffectsFromNow(database);
            await ClosedLoop.RunAsync(client, Next(options.Warmup), options.Clients, cancel);
            await effects.WaitForAllAsync(options.Warmup, cancel);

            await MeasureAsync("nothing else", accounts);
            await SeedAsync(
                $"{options.Waiting:N0} messages waiting in the outbox",
                Seeding.WaitingMessages,
                options.Waiting
            );
            await MeasureAsync($"{options.Waiting:N0} messages waiting", accounts);
            await SeedAsync($"{options.Finished:N0} finished orders", Seeding.FinishedOrders, options.Finished);
            await MeasureAsync($"and {options.Finished:N0} finished orders", accounts);
        }

        if (options.Backlog > 0)
            stages.Add(await BacklogAsync(servers, system, client, database, cancel));
        return new GrowthReport(machine, commit, options.Orders, stages);

        async Task MeasureAsync(string name, IReadOnlyList<IResourceAccount> accounts)
        {
            await EffectsFromNow(database).AnalyzeAsync(cancel);
            // What the seeding left to autovacuum is not the price of an order: a fifth of the first round's, when it
            // was in it.
            await Deadline.UntilAsync(
                "autovacuum to be done with what was seeded",
                TimeSpan.FromMinutes(5),
                async () => !await servers.Postgres.IsVacuumingAsync(cancel),
                cancel
            );
            await servers.Postgres.CheckpointAsync(cancel);
            List<Figures> rounds = [];
            for (var round = 0; round < options.Rounds; round++)
                rounds.Add(
                    await new LoadedPhase(
                        options,
                        servers,
                        client,
                        EffectsFromNow(database),
                        accounts,
                        system.Broker
                    ).RunAsync(Next(options.Orders), options.Orders, cancel)
                );
            stages.Add(new GrowthStage(name, Figures.Median(rounds)));
            progress(
                $"{name}: {stages[^1].Figures.CpuSecondsPer1000:0.00} CPU s/1,000, {stages[^1].Figures.OrdersPerSecond:0} orders/s"
            );
        }

        async Task SeedAsync(string what, IReadOnlyList<string> statements, int count)
        {
            progress($"seeding {what}");
            foreach (var statement in count > 0 ? statements : [])
            {
                await using var command = database.CreateCommand(statement);
                command.CommandTimeout = 0;
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = count });
                await command.ExecuteNonQueryAsync(cancel);
            }
        }
    }

    // Posted to the API alone; the worker comes when all of it lies in the queues. What is timed is the worker, from
    // its start to the last effect.
    private async Task<GrowthStage> BacklogAsync(
        RunningServers servers,
        BenchSystem system,
        OrderClient client,
        NpgsqlDataSource database,
        CancellationToken cancel
    )
    {
        var effects = EffectsFromNow(database);
        var (api, worker) = (
            system.Programs.Where(p => p.Group == "api").ToArray(),
            system.Programs.Where(p => p.Group == "worker").ToArray()
        );
        await using var apis = new RunningPrograms(api, folders.Logs);
        await Deadline.UntilAsync(
            "the API to be ready",
            TimeSpan.FromSeconds(60),
            () => client.IsReadyAsync(system.Ready[0], cancel),
            cancel
        );
        progress($"posting a backlog of {options.Backlog:N0} orders");
        await ClosedLoop.RunAsync(client, Next(options.Backlog), options.Clients, cancel);

        progress("draining it");
        await using var workers = new RunningPrograms(worker, folders.Logs);
        List<IResourceAccount> accounts =
        [
            .. apis.Accounts,
            .. workers.Accounts,
            servers.Postgres.Account,
            system.Broker.Account,
        ];
        var before = CpuReading.Of(accounts);
        var start = DateTime.UtcNow;
        await effects.WaitForAllAsync(options.Backlog, cancel);
        var end = await effects.LastAtAsync(cancel);
        return new GrowthStage(
            string.Create(CultureInfo.InvariantCulture, $"draining a backlog of {options.Backlog:N0}, POST not in it"),
            new Figures
            {
                OrdersPerSecond = options.Backlog / (end - start).TotalSeconds,
                CpuByGroup = CpuReading
                    .Of(accounts)
                    .Since(before)
                    .ToDictionary(group => group.Key, group => group.Value.TotalSeconds * 1000 / options.Backlog),
                RssMb = accounts.ToDictionary(account => account.Group, account => account.MemoryBytes() / 1048576.0),
            }
        );
    }

    private static async Task ReadyAsync(BenchSystem system, OrderClient client, CancellationToken cancel)
    {
        foreach (var url in system.Ready)
            await Deadline.UntilAsync(
                $"{system.Name} to be ready at {url}",
                TimeSpan.FromSeconds(60),
                () => client.IsReadyAsync(url, cancel),
                cancel
            );
    }

    // Only orders posted from now on: the question is asked four times a second, and should cost the same however many
    // orders there are.
    private static Effects EffectsFromNow(NpgsqlDataSource database) => new(database, EffectQueries.OrdersFromNow());

    private byte[][] Next(int count) => bodies.Bodies((posted += count) - count, count);
}
