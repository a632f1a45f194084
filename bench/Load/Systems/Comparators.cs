using System.Globalization;
using Npgsql;
using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load.Systems;

/// <summary>The systems Orders is compared with, each set up as its documentation recommends.</summary>
public static class Comparators
{
    public static BenchSystem BullMq(string variant, RunningServers servers)
    {
        var name = $"bullmq-{variant}";
        var port = FreePort.Next();
        var environment = new Dictionary<string, string>
        {
            ["NODE_ENV"] = "production",
            ["DATABASE_URL"] = servers.Postgres.Url(BenchSystem.DatabaseName(name)),
            ["REDIS_PORT"] = servers.Redis.Port.ToString(CultureInfo.InvariantCulture),
            ["BULLMQ_VARIANT"] = variant,
            ["PORT"] = port.ToString(CultureInfo.InvariantCulture),
        };
        var folder = servers.Folders.BullMq;
        return new BenchSystem(
            name,
            "rows: fsync; jobs: Redis AOF everysec (a crash loses up to 1 s); order and jobs not atomic",
            servers.Redis,
            Loopback(port),
            [Ready(port)],
            NoHeaders,
            cancel => CreateTablesAsync(servers.Postgres, name, cancel),
            [
                new("api", "node", ["api.js"], folder, environment),
                new("worker", "node", ["worker.js"], folder, environment),
            ],
            EffectQueries.Comparators
        );
    }

    public static BenchSystem MassTransitPlain(RunningServers servers)
    {
        const string Name = "masstransit-plain";
        var (api, worker) = (FreePort.Next(), FreePort.Next());
        var folder = servers.Folders.MassTransitPlain;
        return new BenchSystem(
            Name,
            "rows: fsync; messages: durable classic queues, publisher confirms; order and message not atomic",
            servers.RabbitMq,
            Loopback(api),
            [Ready(api), Ready(worker)],
            NoHeaders,
            cancel => CreateTablesAsync(servers.Postgres, Name, cancel),
            [Program("api", api), Program("worker", worker)],
            EffectQueries.Comparators
        );

        ChildProgram Program(string role, int port) =>
            new(
                role,
                "dotnet",
                ["Orders.Bench.MassTransitPlain.dll", role],
                folder,
                new Dictionary<string, string>
                {
                    ["DATABASE_URL"] =
                        servers.Postgres.ConnectionString(BenchSystem.DatabaseName(Name)) + ";Maximum Pool Size=16",
                    ["RABBITMQ_URL"] = servers.RabbitMq.Url.ToString(),
                    ["ASPNETCORE_URLS"] = Loopback(port).ToString(),
                    ["MASSTRANSIT_USAGE_TELEMETRY"] = "false",
                }
            );
    }

    private static Dictionary<string, string> NoHeaders => [];

    private static Uri Loopback(int port) => new($"http://127.0.0.1:{port}");

    private static Uri Ready(int port) => new(Loopback(port), "/health/ready");

    private static async Task CreateTablesAsync(PostgresServer postgres, string system, CancellationToken cancel)
    {
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString(BenchSystem.DatabaseName(system)));
        await using var command = database.CreateCommand(await Resource.ReadAsync("comparators.sql", cancel));
        await command.ExecuteNonQueryAsync(cancel);
    }
}
