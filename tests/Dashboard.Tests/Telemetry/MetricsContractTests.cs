using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Telemetry;

/// <summary>
/// API, worker and dashboard run as processes, and are scraped while 100 orders go through: accepted, repeated,
/// completed, rejected, cancelled, failed and redriven. docs/telemetry.md says what they show, and all of it.
/// </summary>
internal sealed class MetricsContractTests : ShopFixture
{
    private const int Count = 100;
    private const string Planted = "forged";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    // Those of a healthy system appear with other orders, so these alone are not provoked here.
    private static readonly string[] NotProvoked =
    [
        "queueworkers.completeness.gaps",
        "queueworkers.database.faults",
        "queueworkers.retention.purged",
        "queueworkers.topology.lost",
        "queueworkers.topology.sent_again",
    ];

    private static readonly string[] Ours = ["QueueWorkers", "Orders"];

    private readonly HttpClient _http = new();
    private readonly Dictionary<string, int> _ports = [];
    private readonly Dictionary<string, SupervisedHost> _hosts = [];
    private readonly Dictionary<string, Series> _series = [];

    private IEnumerable<Series> Seen => _series.Values;

    // The fixture's own dashboard only answers questions: its meters are not in a process of their own.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Redrive:Run", "false"), ("Failures:Index", "false")];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, $3, $2, array['orders:write', 'orders:read'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(ShopApi.Key),
            ShopApi.Client
        );
        await TestSystem.Database.ExecuteAsync(
            "update stock set initial = initial + 1000, on_hand = on_hand + 1000 where sku = 'MUG-BLUE'"
        );
        await TestSystem.Database.ExecuteAsync("update stock set initial = 0, on_hand = 0 where sku = 'TEA-GREEN-100'");
        await DeployCommand.RunAsync(
            TestSystem.Configuration(),
            Catalogue,
            _ => { },
            CancellationToken.None,
            Workers.Schedules.Catalogue
        );
        await StartAsync("Producer.Api", ("Outbox:MaxAttempts", "1"));
        await StartAsync("Workers", [("Workers:Steps", "*"), .. Towards(), ("Outbox:MaxAttempts", "1")]);
        await StartAsync(
            "Dashboard",
            [("Failures:Interval", "00:00:00.200"), ("Failures:Grace", "00:00:02"), ("Outbox:Relay", "false")]
        );
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (var host in _hosts.Values)
            await host.DisposeAsync();
        _http.Dispose();
    }

    [Test]
    public async Task Every_documented_metric_has_data_after_100_orders_no_other_exists_and_no_label_grows()
    {
        var documented = DocumentedMetrics.Read();
        Assert.That(documented, Has.Count.GreaterThan(30), "rows of the table in docs/telemetry.md");
        await Eventually.That(
            async () =>
            {
                await ScrapeAsync();
                var families = Seen.Select(s => s.Family).ToHashSet();
                return documented.Where(m => !m.IsLate && !families.Contains(m.Family)).Select(m => m.Name);
            },
            Is.Empty,
            "metrics without data at the start, which the table does not call absent",
            Patience
        );

        await WorkAsync();
        await ScrapeAsync();
        var ours = Seen.Where(s => Ours.Contains(s.Meter)).ToArray();
        var late = documented.Where(m => m.IsLate).Select(m => m.Name);
        Assert.Multiple(() =>
        {
            Assert.That(
                documented.Select(m => m.Family),
                Is.SupersetOf(ours.Select(s => s.Family).Distinct()),
                "series of our meters that no row of the table documents"
            );
            Assert.That(
                NotProvoked,
                Is.SubsetOf(late),
                "those that are not provoked say in the table when they appear"
            );
            foreach (var metric in documented.Where(m => !NotProvoked.Contains(m.Name)))
            {
                var series = ours.Where(s => s.Family == metric.Family).ToArray();
                Assert.That(series, Is.Not.Empty, $"series of {metric.Name}");
                Assert.That(
                    series.SelectMany(s => s.Labels.Keys).Distinct(),
                    Is.EquivalentTo(metric.Labels),
                    $"labels of {metric.Name}"
                );
            }

            foreach (
                var (family, atLeast) in new (string, int)[]
                {
                    ("orders_accepted_total", Count),
                    ("orders_completed_total", Count - 10),
                    ("orders_rejected_total", 5),
                    ("orders_cancelled_total", 5),
                    ("orders_repeated_total", 1),
                    ("queueworkers_step_dead_lettered_total", 3),
                    ("queueworkers_step_retried_total", 2),
                    ("queueworkers_step_duplicates_total", 1),
                    ("queueworkers_outbox_quarantined_total", 1),
                }
            )
                Assert.That(Latest(ours, family), Is.GreaterThanOrEqualTo(atLeast), family);
            Assert.That(Latest(ours, "orders_accepted_total"), Is.EqualTo(Count), "each order counts once");
            Assert.That(Latest(ours, "orders_completed_total"), Is.EqualTo(Count - 10), "each order counts once");
        });

        await PlantAsync();
        _series.Clear();
        await ScrapeAsync();
        var count = Seen.Select(s => (s.Family, string.Join(',', s.Labels))).Distinct().Count();
        await TestContext.Out.WriteLineAsync($"{count} series, histograms as one");
        Assert.Multiple(() =>
        {
            Assert.That(
                Seen.Where(s => s.Labels.Values.Any(v => v.Contains(Planted, StringComparison.OrdinalIgnoreCase))),
                Is.Empty,
                "series with a label that somebody outside has chosen"
            );
            Assert.That(count, Is.LessThan(1500), "series after 1,000 foreign paths and 1,000 foreign messages");
        });
    }

    private static double Latest(Series[] series, string family) =>
        series
            .Where(s => s.Family == family)
            .GroupBy(s => string.Join(',', s.Labels.OrderBy(l => l.Key, StringComparer.Ordinal)))
            .Sum(g => g.Max(s => s.Value));

    private async Task WorkAsync()
    {
        // Refused for good: dead-lettered, and redriven later.
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        for (var n = 0; n < 3; n++)
            await PostAsync(premium: true);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where state = $1", (short)FailureState.Failed),
            Is.EqualTo(3L),
            "failures",
            Patience
        );

        // Not now: retried.
        await BehaveAsync(new { smtp = new { mode = "tempfail" } });
        for (var n = 0; n < 2; n++)
            await PostAsync();
        await Eventually.That(
            () =>
                TestSystem.Database.ScalarAsync<long>(
                    "select count(distinct subject_id) from step_attempts where step = 'email' and next_at is not null"
                ),
            Is.EqualTo(2L),
            "orders whose mail is tried again",
            Patience
        );
        await Eventually.That(
            async () =>
            {
                await ScrapeAsync();
                return Seen.Select(s => s.Family);
            },
            Does.Contain("queueworkers_step_waiting"),
            "metrics while messages wait",
            Patience
        );
        await BehaveAsync(new { smtp = new { mode = "ok" } });

        var key = new (string, string)[] { ("Idempotency-Key", Guid.NewGuid().ToString()) };
        await PostAsync(headers: key);
        await PostAsync(headers: key);
        for (var n = 0; n < 84; n++)
            await PostAsync(premium: n % 10 == 0);
        for (var n = 0; n < 5; n++)
            await PostAsync(sku: "TEA-GREEN-100");
        for (var n = 0; n < 5; n++)
        {
            var id = await PostAsync(releaseAt: DateTimeOffset.UtcNow.AddDays(1));
            using var cancelled = await SendAsync(HttpMethod.Post, $"orders/{id}/cancel", null);
            Assert.That(cancelled.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        }

        // A message that no exchange takes, and a copy of one that was done.
        await TestSystem.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts, due_at)
                values ($1, $1, 'no-such-exchange', '', 'application/json', '{}', '\x7b7d', true, 0, now())
            """,
            Guid.NewGuid()
        );
        await OkAsync(
            "/api/redrives",
            new
            {
                filter = new { step = "email" },
                reason = "The mail server is back.",
                start = true,
                expect = 3,
            }
        );
        foreach (var schedule in (string[])["purge", "completeness"])
            await OkAsync($"/api/schedules/{schedule}/run", new { reason = "To see its metrics." });
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("order_progress where completed_at is not null"),
            Is.EqualTo(Count - 10L),
            "orders completed",
            Patience
        );
        await CopyAsync();
        await Eventually.That(
            async () =>
            {
                await ScrapeAsync();
                // The check has no order that is old enough: it says 0.
                return Seen.Where(s => s.Value > 0 || s.Family == "queueworkers_completeness_checked_total")
                    .Select(s => s.Family)
                    .Intersect([
                        "queueworkers_step_duplicates_total",
                        "queueworkers_outbox_quarantined_total",
                        "queueworkers_schedule_duration_seconds",
                        "queueworkers_completeness_checked_total",
                        "orders_rejected_total",
                    ]);
            },
            Has.Exactly(5).Items,
            "what ends last has been counted",
            Patience
        );
    }

    // Of a message that was committed, with its id.
    private async Task CopyAsync()
    {
        var order = await TestSystem.Database.ScalarAsync<Guid>(
            "select order_id from order_progress where completed_at is not null limit 1"
        );
        var message = await TestSystem.Database.ScalarAsync<Guid>(
            "select e.message_id from effects e where e.subject_id = $1 and e.effect = 'inventory'",
            order
        );
        await TestSystem.Broker.PublishToAsync(
            "inventory",
            new OrderAccepted(order, false, DateTimeOffset.UtcNow),
            new ByHand { Id = message, CorrelationId = order }
        );
    }

    // What somebody outside can choose: paths, methods, types and priorities of messages, names of queues.
    private async Task PlantAsync()
    {
        var api = _hosts["Producer.Api"].Address!;
        foreach (var chunk in Enumerable.Range(0, 1000).Chunk(20))
            await Task.WhenAll(
                chunk.Select(async n =>
                {
                    using var request = new HttpRequestMessage(
                        new HttpMethod($"{Planted}{n}"),
                        new Uri(api, $"{Planted}-{n}?{Planted}={n}")
                    );
                    using var answer = await _http.SendAsync(request);
                })
            );
        for (var n = 0; n < 1000; n++)
            await TestSystem.Broker.PublishBytesAsync(
                "email",
                Encoding.UTF8.GetBytes(
                    $$$"""{"messageId":"{{{Guid.NewGuid()}}}","messageType":["urn:message:{{{Planted}}}:Type{{{n}}}"],"message":{}}"""
                ),
                new ByHand
                {
                    Id = Guid.NewGuid(),
                    Priority = (byte)(n % 256),
                    Headers = new() { ["Deferred-By"] = Encoding.UTF8.GetBytes($"{Planted}{n}") },
                }
            );
        for (var n = 0; n < 100; n++)
            await TestSystem.Broker.DeclareQueueAsync($"{Planted}-{n}");
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email"),
            Is.Zero,
            "foreign messages that wait",
            Patience
        );
        await Eventually.That(
            async () =>
            {
                await ScrapeAsync();
                return Seen.Where(s => s.Family == "queueworkers_queue_messages").Select(s => s.Labels["queue"]);
            },
            Does.Contain("other"),
            "the dashboard has seen the foreign queues",
            Patience
        );
    }

    private async Task<Guid> PostAsync(
        string sku = "MUG-BLUE",
        bool premium = false,
        DateTimeOffset? releaseAt = null,
        (string Name, string Value)[]? headers = null
    )
    {
        var order = new JsonObject
        {
            ["customer"] = new JsonObject { ["name"] = "Zoë Müller", ["email"] = "zoe@example.com" },
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = sku, ["quantity"] = 1 }),
            ["currency"] = "EUR",
            ["premium"] = premium,
            ["shippingAddress"] = new JsonObject
            {
                ["line1"] = "Hafenstr. 1",
                ["city"] = "Hamburg",
                ["postalCode"] = "20457",
                ["country"] = "DE",
            },
        };
        if (releaseAt is { } at)
            order["releaseAt"] = at;
        using var content = JsonContent.Create(order);
        using var answer = await SendAsync(HttpMethod.Post, "orders", content, headers ?? []);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), text);
        return JsonNode.Parse(text)!["id"]!.GetValue<Guid>();
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, new Uri(_hosts["Producer.Api"].Address!, path))
        {
            Content = content,
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ShopApi.Key);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return await _http.SendAsync(request);
    }

    private async Task OkAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_hosts["Dashboard"].Address!, path))
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorsKey);
        using var answer = await _http.SendAsync(request);
        Assert.That(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    // The newest value of each; what was there once stays.
    private async Task ScrapeAsync()
    {
        foreach (var (host, port) in _ports)
        {
            foreach (var series in await Scrape.OfAsync(_http, port))
                _series[$"{host} {series.Family} {string.Join(',', series.Labels)}"] = series;
        }
    }

    private async Task StartAsync(string project, params (string Name, string? Value)[] settings)
    {
        _ports[project] = FreePort.Take();
        _hosts[project] = SupervisedHost.Start(
            project,
            TestSystem.Settings([("Metrics:Port", $"{_ports[project]}"), .. settings])
        );
        await _hosts[project].UntilReadyAsync();
    }
}
