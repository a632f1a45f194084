using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load.Systems;

/// <summary>Where the programs to run are found.</summary>
/// <param name="BullMq">Folder of its JavaScript, with node_modules.</param>
/// <param name="MassTransitPlain">Folder of its published build.</param>
/// <param name="Api">Folder of the published build of Orders' API.</param>
/// <param name="LightSteps">Folder of the published build of Orders' light steps.</param>
/// <param name="Logs">Logs and scratch files of this run.</param>
public sealed record Folders(string BullMq, string MassTransitPlain, string Api, string LightSteps, string Logs);

/// <summary>The servers of one run. A broker that no chosen system needs is not started.</summary>
public sealed class RunningServers(Folders folders) : IAsyncDisposable
{
    private PostgresServer? postgres;
    private RabbitMqServer? rabbitMq;
    private RedisServer? redis;

    public Folders Folders => folders;

    public PostgresServer Postgres => postgres ?? throw NotStarted("PostgreSQL");

    public RabbitMqServer RabbitMq => rabbitMq ?? throw NotStarted("RabbitMQ");

    public RedisServer Redis => redis ?? throw NotStarted("Redis");

    public async Task StartAsync(IReadOnlyCollection<string> systems, CancellationToken cancel)
    {
        postgres = await PostgresServer.StartAsync(cancel);
        if (systems.Any(name => name.StartsWith("bullmq-", StringComparison.Ordinal)))
            redis = await RedisServer.StartAsync(folders.Logs, cancel);
        if (systems.Any(name => !name.StartsWith("bullmq-", StringComparison.Ordinal)))
            rabbitMq = await RabbitMqServer.StartAsync(folders.Logs, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in new IAsyncDisposable?[] { redis, rabbitMq, postgres })
        {
            if (server is not null)
                await server.DisposeAsync();
        }
    }

    private static InvalidOperationException NotStarted(string server) =>
        new($"{server} was not started for this run: see RunningServers.StartAsync for who needs it");
}
