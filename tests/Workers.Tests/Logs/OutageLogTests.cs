using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers.Tests.Flow;

namespace Orders.Workers.Tests.Logs;

/// <summary>
/// While something that a process needs is down under load, the process writes at most 20 lines a second: each message
/// under way has something to say, and all of them say the same.
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class OutageLogTests : InstallationFixture
{
    private const int Bound = 20;
    private const int Count = 400;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string Order = """
        { "customer": { "name": "Zoë Müller", "email": "zoe@example.com" }, "lines": [ { "sku": "MUG-BLUE", "quantity": 1 } ], "currency": "EUR",
          "shippingAddress": { "line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE" } }
        """;

    [Test]
    public async Task A_worker_whose_mail_server_database_or_broker_is_down_writes_20_lines_a_second_at_most()
    {
        var source = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        await using var database = new TcpProxy(source.Host!, source.Port);
        await using var broker = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        await using var mail = new TcpProxy("127.0.0.1", World.SmtpPort);
        await using var worker = await WorkerProcess.StartAsync(
            "Workers",
            TestSystem.Settings([
                .. Towards(World),
                ("Workers:Steps", "email"),
                ("Logging:Console:FormatterName", "json"),
                ("Email:Smtp:Port", $"{mail.Port}"),
                ("RabbitMq:Host", "127.0.0.1"),
                ("RabbitMq:Port", $"{broker.Port}"),
                ("ConnectionStrings:Postgres", Through(database)),
            ])
        );

        mail.Cut();
        await LoadAsync();
        await Eventually.That(() => mail.Refused, Is.AtLeast(5), "connections to the mail server", Patience);
        await BoundedAsync(worker, "mail server down");

        // Runs are under way while the next ones break.
        mail.Restore();
        database.Cut();
        await LoadAsync();
        await Eventually.That(() => database.Refused, Is.AtLeast(20), "connections to the database", Patience);
        await BoundedAsync(worker, "database down");

        database.Restore();
        broker.Cut();
        await LoadAsync();
        await Eventually.That(() => broker.Refused, Is.AtLeast(5), "connections to the broker", Patience);
        await BoundedAsync(worker, "broker down");
    }

    [Test]
    public async Task An_API_whose_database_is_down_writes_20_lines_a_second_at_most()
    {
        var source = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        await using var database = new TcpProxy(source.Host!, source.Port);
        await using var api = await WorkerProcess.StartAsync(
            "Producer.Api",
            TestSystem.Settings(
                ("Logging:Console:FormatterName", "json"),
                ("ASPNETCORE_ENVIRONMENT", "Development"),
                ("ConnectionStrings:Postgres", Through(database))
            )
        );
        var key = ApiKeys.NewKey();
        await TestSystem.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, 'tests', $2, array['orders:write', 'orders:read'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(key)
        );
        using var http = new HttpClient { BaseAddress = api.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        Assert.That(await PostAsync(http), Is.EqualTo(202), "before");

        database.Cut();
        var answers = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => PostAsync(http)));
        Assert.That(answers, Has.None.EqualTo(202), "answers without a database");
        await BoundedAsync(api, "database down");
    }

    private string Through(TcpProxy network) =>
        new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
        {
            Host = "127.0.0.1",
            Port = network.Port,
        }.ConnectionString;

    private async Task LoadAsync()
    {
        foreach (var order in await TestSystem.StoreAsync(await OrdersAsync()))
            await TestSystem.Broker.PublishToAsync(
                "email",
                new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                new ByHand { Id = Guid.NewGuid(), CorrelationId = order }
            );
    }

    private async Task<Orders.Infrastructure.Intake.NewOrder[]> OrdersAsync()
    {
        var steps = await TestSystem.RequiredStepsAsync();
        return [.. Enumerable.Range(0, Count).Select(_ => SampleOrders.New(steps, ("MUG-BLUE", 1)))];
    }

    private static async Task<int> PostAsync(HttpClient http)
    {
        using var body = new StringContent(Order, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/orders", UriKind.Relative), body);
        return (int)answer.StatusCode;
    }

    // The bound counts when a line is let through, and the line is stamped a moment later: on a busy machine the lines
    // of a second may be stamped in the next one. All lines together show it.
    private static async Task BoundedAsync(WorkerProcess process, string when)
    {
        DateTimeOffset[] stamps =
        [
            .. process.Lines.Select(line =>
                DateTimeOffset.Parse(
                    JsonNode.Parse(line)!["Timestamp"]!.GetValue<string>(),
                    CultureInfo.InvariantCulture
                )
            ),
        ];
        var seconds = (stamps.Max() - stamps.Min()).TotalSeconds;
        var most = stamps.GroupBy(s => s.ToUnixTimeSeconds()).Max(g => g.Count());
        var events = process
            .Lines.Select(line => JsonNode.Parse(line)!)
            .GroupBy(l => $"{l["Category"]} {l["EventId"]}")
            .OrderByDescending(g => g.Count())
            .Take(8)
            .Select(g => $"{g.Key}: {g.Count()}");
        await TestContext.Out.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{when}: {stamps.Length} lines in {seconds:0.0} s, {most} in the busiest second; {string.Join(", ", events)}"
            )
        );
        Assert.That(stamps, Has.Length.AtMost(Bound * (Math.Ceiling(seconds) + 2)), when);
        Assert.That(most, Is.AtMost(2 * Bound), $"lines stamped in one second, {when}");
    }
}
