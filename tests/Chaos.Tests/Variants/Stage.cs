using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Infrastructure;
using Orders.OutsideWorld;
using Orders.Producer.Api;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers;
using QueueWorkers.Idempotency;

namespace Orders.Chaos.Tests.Variants;

/// <summary>
/// The whole of Orders inside this process — API, relay, four steps, mail server, warehouse, on a real database and a
/// real broker — with networks that can be cut, a client that writes a history, and the checker at the end.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    private const string ApiKey = "ok_ChaosChaosChaosChaosChaosChaosChaosChaosCha";
    private const string WarehouseSecret = "whsec_efOEV9r4CVjKg0dVUNpcP6+8gjfuR5aq";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Queues = [.. Steps.Catalogue.Steps.Select(s => s.Name)];

    private readonly Variant _variant;
    private readonly History _history = new();
    private readonly OrderRegistry _book = new(1);
    private readonly WebApplication _api;
    private readonly ChaosShopClient _client;
    private RunningHost? _workers;
    private int _posted;

    private Stage(Variant variant, OrdersSystem system, RunningWorld world, TcpProxy database, TcpProxy broker)
    {
        (_variant, TestSystem, World, DatabaseNetwork, BrokerNetwork) = (variant, system, world, database, broker);
        _api = ApiApplication.Build([
            .. TestSystem.Settings(Through(broker)).Select(s => $"--{s.Key}={s.Value}"),
            "--urls=http://127.0.0.1:0",
            "--environment=Development",
            "--Logging:LogLevel:Default=None",
            $"--Outbox:Relay={!variant.HasOwnRelay}",
        ]);
        _api.Start();
        _client = new ChaosShopClient(new Uri(_api.Urls.Single()), ApiKey, _history, TimeSpan.FromSeconds(30));
    }

    /// <summary>The database and virtual host.</summary>
    public OrdersSystem TestSystem { get; }

    /// <summary>Mail server and warehouse.</summary>
    public RunningWorld World { get; }

    /// <summary>The network between workers and database.</summary>
    public TcpProxy DatabaseNetwork { get; }

    /// <summary>The network between everybody and the broker.</summary>
    public TcpProxy BrokerNetwork { get; }

    /// <summary>Opens it: deployed, broken as the variant says, everything running.</summary>
    public static async Task<Stage> OpenAsync(Variant variant)
    {
        var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = WarehouseSecret);
        var system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        await system.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, 'chaos', $2, array['orders:write', 'orders:read'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(ApiKey)
        );
        var database = new NpgsqlConnectionStringBuilder(system.Database.ConnectionString);
        var stage = new Stage(
            variant,
            system,
            world,
            new TcpProxy(database.Host!, database.Port),
            new TcpProxy(system.Broker.Options.Host, system.Broker.Options.EffectivePort)
        );
        await variant.Break(stage);
        await stage.StartWorkersAsync();
        using var http = new HttpClient { BaseAddress = new Uri(stage._api.Urls.Single()) };
        await Eventually.That(
            async () => (int)(await http.GetAsync("health/ready")).StatusCode,
            Is.EqualTo(200),
            "the status of the API's /health/ready"
        );
        return stage;
    }

    /// <summary>Posts orders as clients do.</summary>
    /// <param name="count">How many.</param>
    /// <param name="twice">Whether each is posted a second time under its key.</param>
    public Task PostAsync(int count, bool twice = false)
    {
        var first = _posted + 1;
        _posted += count;
        return Task.WhenAll(
            Enumerable
                .Range(first, count)
                .Select(n => _client.PostAsync(_book.Order(n) with { PostedTwice = twice }, CancellationToken.None))
        );
    }

    /// <summary>Starts the worker process.</summary>
    public async Task StartWorkersAsync()
    {
        var database = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
        {
            Host = "127.0.0.1",
            Port = DatabaseNetwork.Port,
        };
        _workers = await TestSystem.StartAsync(
            [.. Steps.Catalogue.Steps.Select(_variant.Step)],
            services =>
            {
                // A process that is killed does not wait for anybody: what is in its hands is cut off.
                services.Configure<MassTransitHostOptions>(o =>
                    (o.StopTimeout, o.ConsumerStopTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(500))
                );
                services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
                _variant.Services(services);
            },
            [
                .. Through(BrokerNetwork),
                ("ConnectionStrings:Postgres", database.ConnectionString),
                ("Outbox:Relay", $"{!_variant.HasOwnRelay}"),
                ("Email:Smtp:Host", "127.0.0.1"),
                ("Email:Smtp:Port", $"{World.SmtpPort}"),
                ("Email:Smtp:Security", "None"),
                ("Email:From", "Orders <orders@orders.example>"),
                ("Email:ReceiptsOf", "127.0.0.1"),
                ("Email:ReceiptsUrl", new Uri(World.BaseUri, "mails").ToString()),
                ("Warehouse:Url", new Uri(World.BaseUri, "warehouse").ToString()),
                ("Warehouse:Secret", WarehouseSecret),
            ]
        );
    }

    /// <summary>Ends the worker process with whatever it has in its hands.</summary>
    public Task KillWorkersAsync() => _workers!.StopAsync();

    /// <summary>
    /// Lets the system run, waits and leases included, until nothing moves or some time has passed: a broken one may
    /// never come to rest, and the checker says so.
    /// </summary>
    public async Task SettleAsync(TimeSpan atMost)
    {
        var deadline = DateTime.UtcNow + atMost;
        var still = 0;
        // Twice in a row: what was acked a moment ago may just be on its way into the next queue.
        while (still < 2 && DateTime.UtcNow < deadline)
        {
            // Not what is leased (5 s): the process that wrote such a row is about to send it, and a second copy is
            // another fault than the one that is played.
            await TestSystem.Database.ExecuteAsync(
                "update outbox set due_at = now() where dead_at is null and due_at > now() + interval '6 seconds'"
            );
            await TestSystem.Database.ExecuteAsync(
                $"update effects set lease_until = now() where state = {EffectState.Pending:D} and lease_until > now() and at < now() - interval '3 seconds'"
            );
            var moving = await TestSystem.Database.ScalarAsync<long>(
                $"select (select count(*) from order_progress where status in ({OrderStatus.Accepted:D}, {OrderStatus.Processing:D})) + (select count(*) from outbox where dead_at is null) + (select count(*) from effects where state = {EffectState.Pending:D})"
            );
            still =
                moving == 0 && await WaitingAsync() is { } waiting && waiting.Values.All(n => n == 0) ? still + 1 : 0;
            await Task.Delay(Look);
        }
    }

    /// <summary>Collects the evidence and checks it.</summary>
    public async Task<Findings> CheckAsync()
    {
        using var world = new HttpClient { BaseAddress = World.BaseUri };
        using var management = new HttpClient { BaseAddress = TestSystem.Broker.Options.ManagementUri };
        var credentials = Convert.ToBase64String(
            System.Text.Encoding.UTF8.GetBytes(
                $"{TestSystem.Broker.Options.Username}:{TestSystem.Broker.Options.Password}"
            )
        );
        management.DefaultRequestHeaders.Authorization = new("Basic", credentials);
        var collector = new Collector(
            new DatabaseEvidence(TestSystem.Database.Source),
            new WorldEvidence(world),
            new BrokerEvidence(management, TestSystem.Broker.Options.VirtualHost)
        );
        // The broker's own counts are some seconds old; the queues themselves know better.
        return Checker.Check(await collector.ReadAsync(_history.Events) with { Waiting = await WaitingAsync() });
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        DatabaseNetwork.Restore();
        BrokerNetwork.Restore();
        await _api.StopAsync();
        await _api.DisposeAsync();
        await TestSystem.DisposeAsync();
        await World.DisposeAsync();
        await DatabaseNetwork.DisposeAsync();
        await BrokerNetwork.DisposeAsync();
        _client.Dispose();
        await _history.DisposeAsync();
    }

    private static IEnumerable<(string Name, string? Value)> Through(TcpProxy broker) =>
        [("RabbitMq:Host", "127.0.0.1"), ("RabbitMq:Port", $"{broker.Port}")];

    private async Task<Dictionary<string, long>> WaitingAsync()
    {
        var waiting = new Dictionary<string, long>();
        foreach (var queue in Queues)
            waiting[queue] = await TestSystem.Broker.CountAsync(queue);
        return waiting;
    }
}
