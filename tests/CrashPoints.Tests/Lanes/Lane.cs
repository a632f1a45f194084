using System.Text;
using Orders.Infrastructure;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// A whole installation for one case at a time: database, virtual host, mail server and warehouse of its own, an API
/// process and a worker process with all steps, and the operators' process where a case asks for it. The worker reaches
/// the broker through a network that can be cut.
/// </summary>
internal sealed class Lane : IAsyncDisposable
{
    private const string WarehouseSecret = "whsec_efOEV9r4CVjKg0dVUNpcP6+8gjfuR5aq";
    private static readonly string ApiKey = ApiKeys.NewKey();
    private static readonly string OperatorsKey = OperatorKey.NewKey();

    private readonly List<PostedOrder> _orders = [];

    private Lane(OrdersSystem system, RunningWorld world, TcpProxy network)
    {
        (TestSystem, World, Network) = (system, world, network);
        // The poller of the API hardly ever looks: what falls due is the worker's, so that a failpoint of its poller is
        // reached.
        Api = new HostProcess("Orders.Producer.Api", system.Settings(("Outbox:PollInterval", "00:00:30")));
        Workers = StartAnotherWorker();
        Client = new ShopClient(Api, ApiKey);
    }

    /// <summary>Database and broker.</summary>
    public OrdersSystem TestSystem { get; }

    /// <summary>Mail server and warehouse; their ledgers outlive every process.</summary>
    public RunningWorld World { get; }

    /// <summary>Between worker and broker.</summary>
    public TcpProxy Network { get; }

    /// <summary>The API.</summary>
    public HostProcess Api { get; }

    /// <summary>The worker.</summary>
    public HostProcess Workers { get; }

    /// <summary>The operators' process; null until somebody has asked for an operator.</summary>
    public HostProcess? Operators { get; private set; }

    /// <summary>Posts and reads.</summary>
    public ShopClient Client { get; }

    /// <summary>Deploys one and starts its processes.</summary>
    public static async Task<Lane> CreateAsync()
    {
        var world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = WarehouseSecret);
        var system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        await system.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, 'crash', $2, '{orders:write,orders:read}')",
            Guid.NewGuid(),
            ApiKeys.HashOf(ApiKey)
        );
        var lane = new Lane(
            system,
            world,
            new TcpProxy(system.Broker.Options.Host, system.Broker.Options.EffectivePort)
        );
        await lane.Api.UntilReadyAsync();
        await lane.Workers.UntilReadyAsync();
        // One case after the other breaks mail server and warehouse here. An open breaker would make the next one's
        // failures nobody's fault, which are not recorded: no call of theirs would be reached.
        await system.Database.ExecuteAsync("update breakers set forced = $1", (short)BreakerState.Closed);
        return lane;
    }

    /// <summary>Starts one more worker.</summary>
    public HostProcess StartAnotherWorker() =>
        new(
            "Orders.Workers",
            TestSystem.Settings(
                ("Workers:Steps", "*"),
                ("RabbitMq:Host", "127.0.0.1"),
                ("RabbitMq:Port", $"{Network.Port}"),
                ("Email:Smtp:Host", "127.0.0.1"),
                ("Email:Smtp:Port", $"{World.SmtpPort}"),
                ("Email:Smtp:Security", "None"),
                ("Email:From", "Orders <orders@orders.example>"),
                // The lease of a mail is its time limit and five seconds more; a run that stays alive makes the next
                // one wait for its end.
                ("Email:SendTimeout", "00:00:02"),
                ("Email:ReceiptsOf", "127.0.0.1"),
                ("Email:ReceiptsUrl", new Uri(World.BaseUri, "mails").ToString()),
                ("Warehouse:Url", new Uri(World.BaseUri, "warehouse").ToString()),
                ("Warehouse:Secret", WarehouseSecret)
            )
        );

    /// <summary>An operator at a process of theirs, which is started when it is first asked for.</summary>
    public async Task<OperatorClient> AnOperatorAsync()
    {
        if (Operators is null)
        {
            await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
                "otto",
                OperatorRole.Operator,
                null,
                OperatorsKey,
                CancellationToken.None
            );
            // Index and queues are compared soon, and what is missing in a queue counts as gone soon.
            Operators = new HostProcess(
                "Orders.Dashboard",
                TestSystem.Settings(("Failures:Interval", "00:00:00.200"), ("Failures:Grace", "00:00:02"))
            );
        }

        await Operators.UntilReadyAsync();
        return new OperatorClient(Operators, OperatorsKey);
    }

    /// <summary>Posts an order of a case.</summary>
    public async Task<PostedOrder> PostAsync(PostedOrder order)
    {
        _orders.Add(order);
        order.Id = await Client.PostAsync(order);
        return order;
    }

    /// <summary>The world is well, the network whole.</summary>
    public void Heal()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        Network.Restore();
    }

    /// <summary>
    /// Lets the leases end that a process took which is dead now. Its successor may have begun effects already: their
    /// leases stay, for a living run may not be overtaken.
    /// </summary>
    /// <param name="successor">The process in its place.</param>
    public Task EndLeasesOfTheDeadAsync(HostProcess successor) =>
        TestSystem.Database.ExecuteAsync(
            $"update effects set lease_until = now() where state = {EffectState.Pending:D} and at < $1",
            successor.StartedAt
        );

    /// <summary>
    /// Waits until an order has come to its end with exactly one of each effect, and nothing is left of it to be sent.
    /// </summary>
    /// <param name="order">The order.</param>
    /// <param name="within">The deadline.</param>
    public async Task UntilRightAsync(PostedOrder order, TimeSpan? within = null)
    {
        var expected = Traces.ExpectedOf(order);
        await TestSystem.EventuallyFastForwardingAsync(
            () => Traces.OfAsync(this, order),
            Is.EqualTo(expected),
            $"traces of order {order.Id}",
            within ?? TimeSpan.FromSeconds(45)
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
    }

    /// <summary>After all cases: what was right is right still, and the books balance.</summary>
    public async Task VerifyInvariantsAsync()
    {
        foreach (var order in _orders)
            Assert.That(
                await Traces.OfAsync(this, order),
                Is.EqualTo(Traces.ExpectedOf(order)),
                $"traces of order {order.Id} in the end"
            );
        Assert.That(
            await TestSystem.Database.CountAsync("orders"),
            Is.EqualTo(_orders.Count),
            "orders, one for each that was posted"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "stock s where s.on_hand <> s.initial + (select coalesce(sum(m.quantity), 0) from stock_movements m where m.sku = s.sku)"
            ),
            Is.Zero,
            "articles whose stock is not initial + movements"
        );
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select coalesce(max(number) - min(number) + 1, 0), count(*) from invoices"
            ),
            Has.One.Matches<object?[]>(r => Equals(r[0], r[1])),
            "span and count of invoice numbers: no gap"
        );
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select coalesce(max(number) - min(number) + 1, 0), count(*) from credit_notes"
            ),
            Has.One.Matches<object?[]>(r => Equals(r[0], r[1])),
            "span and count of credit note numbers: no gap"
        );
        // By what they are, not by their number: which case left them is found by the order that they name.
        foreach (
            var queue in TestSystem.Catalogue.Steps.SelectMany(step =>
                new[] { $"{step.Name}_error", $"{step.Name}_skipped" }
            )
        )
            Assert.That(
                (await TestSystem.Broker.PeekAllAsync(queue)).Select(m =>
                    $"{Encoding.UTF8.GetString(m.Body.Span)} {string.Join(", ", (m.BasicProperties.Headers ?? new Dictionary<string, object?>()).Select(Shown))}"
                ),
                Is.Empty,
                $"messages in {queue}"
            );
        Assert.That(
            await TestSystem.Broker.CountAsync(QueueWorkers.Deployment.BrokerDeployment.Unrouted),
            Is.Zero,
            "unrouted messages"
        );
    }

    private static string Shown(KeyValuePair<string, object?> header) =>
        $"{header.Key}: {(header.Value is byte[] text ? Encoding.UTF8.GetString(text) : header.Value)}";

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Api.DisposeAsync();
        await Workers.DisposeAsync();
        if (Operators is not null)
            await Operators.DisposeAsync();
        await Network.DisposeAsync();
        await TestSystem.DisposeAsync();
        await World.DisposeAsync();
    }
}
