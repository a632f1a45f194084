using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers.Email;
using Orders.Workers.Inventory;
using Orders.Workers.Invoice;
using Orders.Workers.Warehouse;
using QueueWorkers.Deployment;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Two versions of the system are deployed in turn, twenty times, while 100 orders a second are posted and workers of
/// both versions run, each with the rights of its own role. The second version has a step more, a step less, and a step
/// that reads another table than before.
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class DeployUnderLoadTests : InstallationFixture
{
    private const string Password = SharedLogins.Password;
    private const int Deployments = 20;
    private const int OrdersPerDeployment = 200;
    private const double PerSecond = 100;

    private const string Order = """
        { "customer": { "name": "Zoë Müller", "email": "zoe@example.com" }, "lines": [ { "sku": "MUG-BLUE", "quantity": 1 } ], "currency": "EUR",
          "shippingAddress": { "line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE" } }
        """;

    private static readonly string[] Kinds = ["DB", "MQ"];
    private static readonly StepCatalogue First = Shop().Add<LoyaltyStep>().Add<StampStep>();
    private static readonly StepCatalogue Second = Shop().Add<NewLoyaltyStep>().Add<GiftStep>();
    private static readonly string[] AllSteps = [.. First.Steps.Concat(Second.Steps).Select(s => s.Name).Distinct()];

    [Test]
    public async Task Every_order_has_all_steps_that_were_required_when_it_was_accepted()
    {
        var key = ApiKeys.NewKey();
        await TestSystem.Database.ExecuteAsync(
            "update stock set initial = initial + 100000, on_hand = on_hand + 100000"
        );
        await DeployAsync(First, ("ORDERS_API_KEY", key));
        var first = await TestSystem.RequiredStepsAsync();
        var workers = new List<RunningHost>();
        foreach (var step in First.Steps)
            workers.Add(await StartAsync(First, step.Name, "first"));
        // The first version's workers are connected: they keep their rights, as in an installation.
        await DeployAsync(Second);
        var second = await TestSystem.RequiredStepsAsync();
        foreach (var step in (string[])["loyalty", "gift"])
            workers.Add(await StartAsync(Second, step, "second"));
        await using var api = await WorkerProcess.StartAsync(
            "Producer.Api",
            TestSystem.Settings(UserOf("api", "first"))
        );

        var (answers, durations) = (new ConcurrentBag<int>(), new List<double>());
        using var enough = new CancellationTokenSource();
        var load = PostAsync(api.Address, key, answers, enough.Token);
        for (var number = 1; number <= Deployments; number++)
        {
            var watch = Stopwatch.StartNew();
            await DeployAsync(number % 2 == 0 ? Second : First);
            durations.Add(watch.Elapsed.TotalSeconds);
            await Eventually.That(
                () => Task.FromResult(answers.Count),
                Is.GreaterThanOrEqualTo(number * OrdersPerDeployment),
                "orders that were posted",
                TimeSpan.FromMinutes(2)
            );
        }

        await enough.CancelAsync();
        await load;
        await Eventually.That(
            () => TestSystem.Database.CountAsync("order_progress where done & required <> required"),
            Is.Zero,
            "orders that lack a step",
            TimeSpan.FromMinutes(2)
        );

        var required = await TestSystem.Database.RowsAsync(
            "select required, count(*) from order_progress group by required order by required"
        );
        var refused = workers
            .SelectMany(w => w.Log.Lines)
            .Count(l => l.Line.Contains("42501", StringComparison.Ordinal));
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{durations.Count} deployments of {durations.Average():0.00} s on average, {durations.Max():0.00} s at most; {answers.Count} orders; required steps: {string.Join(", ", required.Select(r => $"{r[0]} by {r[1]} orders"))}; {refused} refused statements"
            )
        );
        Assert.Multiple(() =>
        {
            Assert.That(answers, Is.All.EqualTo(202), "answers to POST /orders");
            Assert.That(refused, Is.Zero, "log lines about a right that is missing");
            Assert.That(required.Select(r => r[0]), Is.EquivalentTo(new[] { first, second }), "sets of required steps");
        });
        Assert.That(await TestSystem.Database.CountAsync("orders"), Is.EqualTo(answers.Count), "orders");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "step_runs where status = $1 or attempts <> 1",
                (short)StepStatus.Failed
            ),
            Is.Zero,
            "steps that failed, or took more than one attempt"
        );
        foreach (var queue in AllSteps.Select(s => $"{s}_error").Append(BrokerDeployment.Unrouted))
            Assert.That(await TestSystem.Broker.CountAsync(queue), Is.Zero, $"messages in {queue}");
    }

    private static StepCatalogue Shop() =>
        new StepCatalogue()
            .Add<EmailStep>((services, configuration) => services.AddEmail(configuration))
            .Add<InventoryStep>((services, _) => services.AddInventory())
            .Add<InvoiceStep>((services, configuration) => services.AddInvoice(configuration))
            .Add<WarehouseStep>((services, configuration) => services.AddWarehouse(configuration))
            .PublishesEvent<OrderCompleted>()
            .PublishesEvent<OrderRejected>();

    // An open loop: who waits for answers posts less while the system is slow.
    private static async Task PostAsync(Uri api, string key, ConcurrentBag<int> answers, CancellationToken enough)
    {
        using var http = new HttpClient { BaseAddress = api };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var posts = new List<Task>();
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!enough.IsCancellationRequested)
        {
            while (posts.Count < watch.Elapsed.TotalSeconds * PerSecond)
                posts.Add(PostOneAsync(http, answers));
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        await Task.WhenAll(posts);
    }

    private static async Task PostOneAsync(HttpClient http, ConcurrentBag<int> answers)
    {
        using var order = new StringContent(Order, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/orders", UriKind.Relative), order, CancellationToken.None);
        answers.Add((int)answer.StatusCode);
    }

    private Task<RunningHost> StartAsync(StepCatalogue catalogue, string step, string build) =>
        TestSystem.StartAsync(catalogue.Choose(step), null, [.. Towards(World), .. UserOf(step, build)]);

    private Task DeployAsync(StepCatalogue catalogue, params (string Name, string? Value)[] settings)
    {
        var passwords = AllSteps
            .Append("api")
            .SelectMany(p => Kinds.Select(kind => ($"{p.ToUpperInvariant()}_{kind}_PASSWORD", (string?)Password)));
        return DeployCommand.RunAsync(
            TestSystem.Configuration([.. passwords, .. settings]),
            catalogue,
            _ => { },
            CancellationToken.None
        );
    }

    // By its own name a session is one of another build, of which the deployment takes no right away.
    private IEnumerable<(string Name, string? Value)> UserOf(string process, string build) =>
        [
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = ProcessCredentials.UserOf(process),
                    Password = Password,
                    ApplicationName = build,
                }.ConnectionString
            ),
            ("RabbitMq:Username", ProcessCredentials.UserOf(process)),
            ("RabbitMq:Password", Password),
        ];
}
