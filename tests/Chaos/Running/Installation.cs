using System.Net.Http.Headers;
using System.Text;
using Npgsql;

namespace Orders.Chaos.Running;

/// <summary>
/// The compose installation that is broken: where its doors are and what its containers are called. deploy/dev/chaos.sh
/// starts it and tells us.
/// </summary>
public sealed class Installation : IAsyncDisposable
{
    /// <summary>The service of PostgreSQL's standby (deploy/replica).</summary>
    public const string Standby = "postgres-2";

    private readonly string _project;

    private Installation(string project, string database, Uri world, Uri management, string brokerPassword)
    {
        _project = project;
        Database = Open($"{database};Timeout=3;Command Timeout=60;Maximum Pool Size=5;Keepalive=5");
        Probe = Open($"{database};Timeout=3;Command Timeout=3;Pooling=false");
        Maintenance = Open($"{database};Database=postgres;Timeout=3;Command Timeout=10;Pooling=false");
        World = new HttpClient { BaseAddress = world, Timeout = TimeSpan.FromSeconds(60) };
        Management = new HttpClient { BaseAddress = management, Timeout = TimeSpan.FromSeconds(30) };
        Management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"orders_admin:{brokerPassword}"))
        );
    }

    /// <summary>Where orders are posted to.</summary>
    public required Uri Api { get; init; }

    /// <summary>With which key.</summary>
    public required string ApiKey { get; init; }

    /// <summary>Where operators are.</summary>
    public required Uri Dashboard { get; init; }

    /// <summary>With which key.</summary>
    public required string OperatorKey { get; init; }

    /// <summary>The directory in which each worker's clock is set off.</summary>
    public required string Clocks { get; init; }

    /// <summary>The AMQP port, to see whether the broker is there.</summary>
    public required int AmqpPort { get; init; }

    /// <summary>The database, as its owner.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>
    /// The same, for asking whether it is there: each time by a new connection. An old one, half open after a restart,
    /// would be asked for a minute.
    /// </summary>
    public NpgsqlDataSource Probe { get; }

    /// <summary>
    /// The database <c>postgres</c> of the same server, as its owner: open while the database itself is closed.
    /// </summary>
    public NpgsqlDataSource Maintenance { get; }

    /// <summary>The demo's mail server and warehouse.</summary>
    public HttpClient World { get; }

    /// <summary>The broker's management API.</summary>
    public HttpClient Management { get; }

    /// <summary>Reads the environment.</summary>
    /// <exception cref="InvalidOperationException">A variable is missing.</exception>
    public static Installation FromEnvironment() =>
        new(
            Required("CHAOS_PROJECT"),
            Required("CHAOS_DATABASE"),
            new Uri(Required("CHAOS_WORLD")),
            new Uri(Required("CHAOS_MANAGEMENT")),
            Required("RABBITMQ_ADMIN_PASSWORD")
        )
        {
            Api = new Uri(Required("CHAOS_API")),
            ApiKey = Required("ORDERS_API_KEY"),
            Dashboard = new Uri(Required("CHAOS_DASHBOARD")),
            OperatorKey = Required("ORDERS_OPERATOR_KEY"),
            Clocks = Required("CHAOS_CLOCKS"),
            AmqpPort = int.Parse(Required("CHAOS_AMQP_PORT"), System.Globalization.CultureInfo.InvariantCulture),
        };

    /// <summary>The containers of a service.</summary>
    public async Task<string[]> ContainersAsync(string service) =>
        (
            await Docker.RunAsync(
                "ps",
                "-a",
                "--filter",
                $"label=com.docker.compose.project={_project}",
                "--filter",
                $"label=com.docker.compose.service={service}",
                "--format",
                "{{.Names}}"
            )
        ).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>All services that have a container, with whatever the container's state is.</summary>
    public async Task<IReadOnlyList<(string Service, string Container, string State)>> AllAsync() =>
        [
            .. (
                await Docker.RunAsync(
                    "ps",
                    "-a",
                    "--filter",
                    $"label=com.docker.compose.project={_project}",
                    "--format",
                    "{{.Label \"com.docker.compose.service\"}}\t{{.Names}}\t{{.State}}"
                )
            )
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => l.Split('\t'))
                .Select(f => (f[0], f[1], f[2])),
        ];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        World.Dispose();
        Management.Dispose();
        await Probe.DisposeAsync();
        await Maintenance.DisposeAsync();
        await Database.DisposeAsync();
    }

    // With a standby there are two servers: the one that takes writes.
    private static NpgsqlDataSource Open(string text)
    {
        var builder = new NpgsqlDataSourceBuilder(text);
        if (!builder.ConnectionStringBuilder.Host!.Contains(',', StringComparison.Ordinal))
            return builder.Build();
        builder.ConnectionStringBuilder.HostRecheckSeconds = 1;
        return builder.BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary);
    }

    private static string Required(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"{name} is not set: start the run with ./dev chaos");
}
