using Orders.Testing.Servers;

namespace Orders.Producer.Api.Tests.Faults;

/// <summary>
/// A database that answers and refuses: every request is answered 503 with a time to come back, never 500, and
/// afterwards the same key finds its order.
/// </summary>
internal sealed class DatabaseRefusalTests : ApiFixture
{
    private TestRole _role = null!;
    private ApiHost _asRole = null!;
    private HttpClient _http = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _role = await Database.CreateRoleAsync();
        _asRole = await ApiHost.StartAsync(_role.ConnectionString);
        _http = new HttpClient { BaseAddress = _asRole.Address };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
        await Eventually.That(
            async () => (await AskAsync("/health/ready")).Status,
            Is.EqualTo(200),
            "readiness at first"
        );
    }

    [TearDown]
    public async Task StopAsync()
    {
        _http.Dispose();
        await _asRole.DisposeAsync();
        await _role.DisposeAsync();
    }

    [Test]
    public Task A_rotated_password() =>
        EveryRequestIsRefusedAsync(_role.RotateAsync, _role.RotateBackAsync, "refuses the login");

    [Test]
    public Task A_database_that_accepts_no_connections() =>
        EveryRequestIsRefusedAsync(
            () => Database.AllowConnectionsAsync(false),
            () => Database.AllowConnectionsAsync(true),
            "accepts no connections"
        );

    [Test]
    public Task Rights_that_are_missing_during_a_deployment() =>
        EveryRequestIsRefusedAsync(
            () => Database.ExecuteAsync($"revoke all on orders, step_catalogue from {_role.Name}"),
            () => Database.ExecuteAsync($"grant all on orders, step_catalogue to {_role.Name}"),
            "lacks a right"
        );

    [Test]
    public Task A_table_that_is_missing_during_a_deployment() =>
        EveryRequestIsRefusedAsync(
            () =>
                Database.ExecuteAsync(
                    "alter table orders rename to orders_old; alter table step_catalogue rename to steps_old"
                ),
            () =>
                Database.ExecuteAsync(
                    "alter table orders_old rename to orders; alter table steps_old rename to step_catalogue"
                ),
            "no tables yet"
        );

    [Test]
    public async Task A_plan_that_is_out_of_date_costs_no_order_and_no_500()
    {
        // Prepared on the connections in use.
        for (var i = 0; i < 10; i++)
        {
            Assert.That((await PostAsync(null)).Status, Is.EqualTo(202));
            Assert.That((await AskAsync("/orders")).Status, Is.EqualTo(200));
        }

        await Database.ExecuteAsync(
            "alter table orders alter column currency type varchar(3), alter column customer_name type varchar(400); alter table posted_keys alter column client_id type varchar(100)"
        );
        Assert.That((await PostAsync("after-the-change")).Status, Is.EqualTo(202), "an order right after the change");
        for (var i = 0; i < 30; i++)
            Assert.That((await AskAsync("/orders")).Status, Is.EqualTo(200).Or.EqualTo(503));
        Assert.That((await AskAsync("/orders")).Status, Is.EqualTo(200), "in the end no connection holds the old plan");
    }

    private async Task EveryRequestIsRefusedAsync(Func<Task> refuse, Func<Task> repair, string says)
    {
        // Known keys: what stands in the API's cache must not hide the fault.
        Assert.That((await PostAsync(null)).Status, Is.EqualTo(202));
        await refuse();
        await Eventually.That(() => _asRole.HealthAsync(), Does.Contain(says), "what the health checks say");

        var keys = Enumerable.Range(0, 20).Select(i => $"{Guid.NewGuid()}").ToArray();
        foreach (var key in keys)
        {
            foreach (
                var answer in new[]
                {
                    await PostAsync(key),
                    await AskAsync("/orders"),
                    await AskAsync($"/orders/{Guid.NewGuid()}"),
                }
            )
            {
                Assert.That((answer.Status, answer.Code), Is.EqualTo((503, "unavailable")), answer.ToString());
                Assert.That(answer.Headers, Does.ContainKey("Retry-After"));
            }
        }

        await repair();
        foreach (var key in keys)
            await Eventually.That(
                async () => (await PostAsync(key)).Status,
                Is.EqualTo(202),
                "posting with the same key again"
            );
        Assert.That(
            await Database.CountAsync("posted_keys where key = any($1)", (object)keys),
            Is.EqualTo(keys.Length),
            "orders"
        );
        await Eventually.That(
            async () => (await AskAsync("/health/ready")).Status,
            Is.EqualTo(200),
            "readiness in the end"
        );
    }

    private async Task<Answer> AskAsync(string path)
    {
        using var response = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return await Answer.OfAsync(response);
    }

    private async Task<Answer> PostAsync(string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/orders") { Content = Json(SampleOrder.Text) };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var response = await _http.SendAsync(request);
        return await Answer.OfAsync(response);
    }
}
