using Npgsql;
using Orders.Bench.Load.Servers;
using Orders.Contracts;
using Orders.Infrastructure.Deployment;
using QueueWorkers.Messaging;
using QueueWorkers.Steps;

namespace Orders.Bench.Micro;

/// <summary>A deployed installation for the benchmarks: one step, <c>light</c>, whose queue nobody reads.</summary>
public sealed class Place : IAsyncDisposable
{
    private const string Database = "micro";
    private readonly PostgresServer _postgres;
    private readonly RabbitMqServer _rabbitMq;

    private Place(PostgresServer postgres, RabbitMqServer rabbitMq, NpgsqlDataSource source, RabbitMqOptions options) =>
        (_postgres, _rabbitMq, Source, Broker) = (postgres, rabbitMq, source, options);

    /// <summary>The one of this process.</summary>
    public static Place Present { get; private set; } = null!;

    public NpgsqlDataSource Source { get; }

    public RabbitMqOptions Broker { get; }

    public static async Task<Place> OpenAsync(CancellationToken cancel)
    {
        var logs = Directory.CreateDirectory(Path.Combine("artifacts", "bench", "micro")).FullName;
        var postgres = await PostgresServer.StartAsync(cancel);
        var rabbitMq = await RabbitMqServer.StartAsync(logs, cancel);
        await rabbitMq.ResetAsync(cancel);
        await postgres.CreateDatabaseAsync(Database, cancel);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["ConnectionStrings:Postgres"] = postgres.ConnectionString(Database),
                    ["RabbitMq:Host"] = rabbitMq.Url.Host,
                    ["RabbitMq:Port"] = rabbitMq.Url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    ["RabbitMq:VirtualHost"] = RabbitMqServer.VirtualHost,
                    ["RabbitMq:Username"] = RabbitMqServer.User,
                    ["RabbitMq:Password"] = rabbitMq.Password,
                    ["RabbitMq:ManagementUri"] = rabbitMq.ManagementUrl.ToString(),
                }
            )
            .Build();
        await DeployCommand.RunAsync(
            configuration,
            new StepCatalogue().Add<LightStep>().PublishesEvent<OrderCompleted>().PublishesEvent<OrderRejected>(),
            _ => { },
            cancel
        );
        var source = new NpgsqlDataSourceBuilder(postgres.ConnectionString(Database) + ";Max Auto Prepare=50").Build();
        return Present = new Place(postgres, rabbitMq, source, RabbitMqOptions.Read(configuration));
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await _rabbitMq.DisposeAsync();
        await _postgres.DisposeAsync();
    }
}
