using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Messaging;
using QueueWorkers.Steps;

namespace Orders.Testing;

/// <summary>
/// An installation of a fixture's own: a database and a virtual host, deployed by the real deployment for a catalogue
/// of steps. Hosts are started in it as a test needs them.
/// </summary>
public sealed class OrdersSystem : IAsyncDisposable
{
    private readonly List<RunningHost> _hosts = [];

    private OrdersSystem(StepCatalogue catalogue, TestDatabase database, TestBroker broker)
    {
        Catalogue = catalogue;
        Database = database;
        Broker = broker;
    }

    /// <summary>The steps that were deployed.</summary>
    public StepCatalogue Catalogue { get; }

    /// <summary>The database.</summary>
    public TestDatabase Database { get; }

    /// <summary>The broker.</summary>
    public TestBroker Broker { get; }

    /// <summary>Deploys one.</summary>
    /// <param name="catalogue">Its steps.</param>
    /// <param name="server">A RabbitMQ of the test's own; the shared one unless said otherwise.</param>
    public static async Task<OrdersSystem> CreateAsync(StepCatalogue catalogue, RabbitMqOptions? server = null)
    {
        var database = TestDatabase.CreateAsync();
        var broker = TestBroker.CreateAsync(server);
        var system = new OrdersSystem(catalogue, await database, await broker);
        await DeployCommand.RunAsync(
            system.Configuration(("Deploy:DemoCatalogue", "true")),
            catalogue,
            _ => { },
            CancellationToken.None
        );
        return system;
    }

    /// <summary>What a host needs to find this installation, as the owner of everything. Later settings win.</summary>
    public IReadOnlyDictionary<string, string?> Settings(params IEnumerable<(string Name, string? Value)> more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = Database.ConnectionString,
            ["RabbitMq:Host"] = Broker.Options.Host,
            ["RabbitMq:Port"] = Broker.Options.EffectivePort.ToString(
                System.Globalization.CultureInfo.InvariantCulture
            ),
            ["RabbitMq:VirtualHost"] = Broker.Options.VirtualHost,
            ["RabbitMq:Username"] = Broker.Options.Username,
            ["RabbitMq:Password"] = Broker.Options.Password,
            ["RabbitMq:ManagementUri"] = Broker.Options.ManagementUri!.ToString(),
            ["Invoice:Demo"] = "true",
            ["PersonalData:Secret"] = SampleOrders.Secret,
            ["Outbox:PollInterval"] = "00:00:00.100",
        };
        foreach (var (name, value) in more)
            settings[name] = value;
        return settings;
    }

    /// <summary>The same as a configuration.</summary>
    public IConfiguration Configuration(params IEnumerable<(string Name, string? Value)> more) =>
        new ConfigurationBuilder().AddInMemoryCollection(Settings(more)).Build();

    /// <summary>Starts a host with steps and relay, as <c>Workers</c> does.</summary>
    /// <param name="steps">As in <c>Workers__Steps</c>; empty for a host without steps.</param>
    /// <param name="services">Changes services, after the host's own.</param>
    /// <param name="settings">Changes settings.</param>
    public Task<RunningHost> StartAsync(
        string steps = "*",
        Action<IServiceCollection>? services = null,
        params IEnumerable<(string Name, string? Value)> settings
    ) => StartAsync(steps == "" ? [] : Catalogue.Choose(steps), services, settings);

    /// <summary>The same with entries that a test has changed.</summary>
    public async Task<RunningHost> StartAsync(
        IReadOnlyList<StepEntry> steps,
        Action<IServiceCollection>? services = null,
        params IEnumerable<(string Name, string? Value)> settings
    )
    {
        var host = Build(steps, services, settings);
        lock (_hosts)
            _hosts.Add(host);
        return await host.StartAsync();
    }

    /// <summary>Stops and disposes the hosts, then removes database and virtual host.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
            await host.DisposeAsync();
        await Broker.DisposeAsync();
        await Database.DisposeAsync();
    }

    private RunningHost Build(
        IReadOnlyList<StepEntry> steps,
        Action<IServiceCollection>? services,
        IEnumerable<(string Name, string? Value)> settings
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(Settings(settings));
        var log = new LogCapture();
        builder.Logging.AddProvider(log).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        builder.Services.AddMaskedLogging();
        builder.Services.AddOrdersStore(builder.Configuration);
        builder.Services.AddPersonalDataHash(builder.Configuration).AddOrderIntake();
        builder.Services.AddRelay(builder.Configuration);
        builder.Services.AddSteps<OrdersDbContext>(builder.Configuration, steps);
        services?.Invoke(builder.Services);
        return new RunningHost(builder.Build(), log);
    }
}
