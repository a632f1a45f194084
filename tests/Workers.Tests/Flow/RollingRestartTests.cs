using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Orders.Infrastructure;
using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Every worker process is asked to end and started anew, one after the other, while orders come in over HTTP. Once
/// around in the suite;
/// <c>ORDERS_ROLLING_RESTARTS=20</c> makes it twenty times.
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class RollingRestartTests : InstallationFixture
{
    private static readonly int Times = int.Parse(
        Environment.GetEnvironmentVariable("ORDERS_ROLLING_RESTARTS") ?? "1",
        CultureInfo.InvariantCulture
    );
    private static readonly TimeSpan LongestExit = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    private const string Order = """
        { "customer": { "name": "Zoë Müller", "email": "zoe@example.com" }, "lines": [ { "sku": "MUG-BLUE", "quantity": 1 } ], "currency": "EUR",
          "shippingAddress": { "line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE" } }
        """;

    [Test]
    public async Task Nothing_is_done_twice_nothing_is_lost_and_every_process_ends_in_time()
    {
        var key = ApiKeys.NewKey();
        await TestSystem.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, 'tests', $2, array['orders:write', 'orders:read'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(key)
        );
        await TestSystem.Database.ExecuteAsync(
            "update stock set initial = initial + 100000, on_hand = on_hand + 100000"
        );
        await using var api = await WorkerProcess.StartAsync("Producer.Api", TestSystem.Settings());
        var workers = new Dictionary<string, WorkerProcess>();
        var (posted, exits) = (new ConcurrentBag<int>(), new List<(string Step, int Code, TimeSpan Took)>());
        using var enough = new CancellationTokenSource();
        try
        {
            foreach (var step in Steps.Catalogue.Steps)
                workers[step.Name] = await StartWorkerAsync(step.Name);
            var load = LoadAsync(api.Address, key, posted, enough.Token);
            for (var round = 0; round < Times; round++)
            {
                foreach (var step in workers.Keys.ToArray())
                {
                    var (code, took) = await workers[step].TerminateAsync();
                    exits.Add((step, code, took));
                    if (code != 0 || took > LongestExit)
                        await TestContext.Progress.WriteLineAsync(
                            $"{step} ended with {code} after {took}:\n{workers[step]}"
                        );
                    await workers[step].DisposeAsync();
                    workers[step] = await StartWorkerAsync(step);
                }
            }

            await enough.CancelAsync();
            await load;
            await Eventually.That(
                () => TestSystem.Database.CountAsync($"order_progress where status <> {OrderStatus.Completed:D}"),
                Is.Zero,
                "orders that are not completed",
                TimeSpan.FromMinutes(2)
            );
        }
        finally
        {
            foreach (var worker in workers.Values)
                await worker.DisposeAsync();
        }

        var orders = await TestSystem.Database.CountAsync("orders");
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{exits.Count} restarts, {orders} orders; exits {exits.Average(e => e.Took.TotalSeconds):0.0} s on average, {exits.Max(e => e.Took.TotalSeconds):0.0} s at most"
            )
        );
        Assert.Multiple(() =>
        {
            Assert.That(exits.Select(e => e.Code), Is.All.Zero, "exit codes");
            Assert.That(exits.Max(e => e.Took), Is.LessThanOrEqualTo(LongestExit), "the longest exit");
            Assert.That(posted, Is.Not.Empty, "orders were posted meanwhile");
            Assert.That(posted, Is.All.EqualTo(202), "answers to POST /orders");
            Assert.That(orders, Is.EqualTo(posted.Count), "orders");
            Assert.That(
                World.Mails.Delivered.GroupBy(m => m.MessageId).Where(g => g.Count() > 1),
                Is.Empty,
                "mails that came twice"
            );
            Assert.That(World.Mails.Delivered, Has.Count.EqualTo(posted.Count), "mails");
            Assert.That(
                World.Warehouse.Calls.Where(c => c.IsAccepted).GroupBy(c => c.OrderId).Where(g => g.Count() > 1),
                Is.Empty,
                "pick lists that came twice"
            );
            Assert.That(
                World.Warehouse.Calls.Sum(c => c.Repeats),
                Is.Zero,
                "calls to the warehouse for an order that was told"
            );
            Assert.That(World.Warehouse.Calls.Count(c => c.IsAccepted), Is.EqualTo(posted.Count), "pick lists");
        });
        Assert.That(await TestSystem.Database.CountAsync("stock_movements"), Is.EqualTo(orders), "movements of stock");
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select count(*) || ' ' || coalesce(max(number), 0) from invoices"
            ),
            Is.EqualTo($"{orders} {orders}"),
            "invoices and their last number"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "steps that took more than one attempt"
        );
        foreach (var step in Steps.Catalogue.Steps)
            Assert.That(
                await TestSystem.Broker.CountAsync($"{step.Name}_error"),
                Is.Zero,
                $"dead-lettered messages of {step.Name}"
            );
    }

    private Task<WorkerProcess> StartWorkerAsync(string step) =>
        WorkerProcess.StartAsync("Workers", TestSystem.Settings([.. Towards(World), ("Workers:Steps", step)]));

    private static async Task LoadAsync(Uri api, string key, ConcurrentBag<int> answers, CancellationToken enough)
    {
        using var http = new HttpClient { BaseAddress = api };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var timer = new PeriodicTimer(Between);
        while (!enough.IsCancellationRequested)
        {
            using var order = new StringContent(Order, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(
                new Uri("/orders", UriKind.Relative),
                order,
                CancellationToken.None
            );
            answers.Add((int)answer.StatusCode);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
