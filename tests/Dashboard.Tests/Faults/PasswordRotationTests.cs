using Orders.Infrastructure;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Hosting;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Tests.Faults;

/// <summary>
/// Show 3 of issue 13: the workers' database password is rotated before they know, or the database takes no
/// connections; then it is as before. The same for the dashboard.
/// </summary>
internal sealed class PasswordRotationTests : ShopFixture
{
    private const int Orders = 10;

    private TestRole _role = null!;
    private RunningHost _poster = null!;
    private RunningHost _workers = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _role = await TestSystem.Database.CreateRoleAsync();
        _poster = await TestSystem.StartAsync("");
        _workers = await WorkAsync("*", ("ConnectionStrings:Postgres", _role.ConnectionString));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _workers.DisposeAsync();
        await _poster.DisposeAsync();
        await _role.DisposeAsync();
    }

    [Test]
    public async Task A_rotated_password_costs_no_attempt_and_every_order_is_completed()
    {
        using var faults = new DatabaseFaults();
        await _role.RotateAsync();
        var orders = await OrdersAsync(Orders);
        await PostAsync(_poster, orders);
        await Eventually.That(
            () => faults.Of("28P01"),
            Is.GreaterThan(5 * Orders),
            "refused logins",
            TimeSpan.FromSeconds(60)
        );

        // What the overview lists as needing attention: the worker cannot say itself that it cannot log in.
        var standing = new BlockerReader(TestSystem.Database.Source, new DatabaseOptions());
        await Eventually.That(
            async () => (await standing.ReadAsync(default)).Lost.Count,
            Is.EqualTo(1),
            "lost workers",
            TimeSpan.FromSeconds(30)
        );

        await _role.RotateBackAsync();
        await AllAreDoneAsync([.. orders.Select(o => o.Id)]);
        await Eventually.That(
            async () => (await standing.ReadAsync(default)).Lost.Count,
            Is.Zero,
            "lost workers in the end"
        );
    }

    [Test]
    public async Task A_database_that_takes_no_connections_costs_no_attempt_and_the_dashboard_answers_503_and_says_why()
    {
        var orders = await OrdersAsync(Orders);
        await PostAsync(_poster, orders);
        using var faults = new DatabaseFaults();
        await TestSystem.Database.AllowConnectionsAsync(false);
        try
        {
            await Eventually.That(
                () => faults.Of("55000"),
                Is.GreaterThan(Orders),
                "refused connections",
                TimeSpan.FromSeconds(60)
            );
            await DashboardSaysAsync("accepts no connections");
        }
        finally
        {
            await TestSystem.Database.AllowConnectionsAsync(true);
        }

        await AllAreDoneAsync([.. orders.Select(o => o.Id)]);
        await Eventually.That(
            async () => (await GetAsync("/health/ready", null)).Status,
            Is.EqualTo(200),
            "readiness of the dashboard"
        );
    }

    [Test]
    public async Task A_dashboard_whose_password_was_rotated_answers_503_says_why_and_comes_back()
    {
        await RestartDashboardAsync(("ConnectionStrings:Postgres", _role.ConnectionString));
        await Eventually.That(
            async () => (await GetAsync("/health/ready", null)).Status,
            Is.EqualTo(200),
            "readiness at first"
        );
        await _role.RotateAsync();
        await DashboardSaysAsync("refuses the login");
        await _role.RotateBackAsync();
        await Eventually.That(
            async () => (await GetAsync("/health/ready", null)).Status,
            Is.EqualTo(200),
            "readiness in the end"
        );
        Assert.That((await GetAsync("/api/failures", ViewerKey)).Status, Is.EqualTo(200));
        await RestartDashboardAsync();
    }

    private async Task DashboardSaysAsync(string says)
    {
        await Eventually.That(() => Dashboard.HealthAsync(), Does.Contain(says), "what the health checks say");
        using var http = new HttpClient { BaseAddress = Dashboard.Address };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {ViewerKey}");
        foreach (var path in (string[])["/api/failures", "/api/redrives", "/"])
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
            // A page without a session leads to the login, which needs no database.
            if (path == "/")
                Assert.That((int)answer.StatusCode, Is.LessThan(500).Or.EqualTo(503), path);
            else
                Assert.That(
                    ((int)answer.StatusCode, answer.Headers.RetryAfter?.ToString()),
                    Is.EqualTo((503, "2")),
                    path
                );
            if ((int)answer.StatusCode == 503)
                Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(says), path);
        }
    }

    private async Task AllAreDoneAsync(Guid[] orders)
    {
        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    $"order_progress where order_id = any($1) and status = {OrderStatus.Completed:D}",
                    orders
                ),
            Is.EqualTo(orders.Length),
            "orders completed",
            TimeSpan.FromMinutes(2)
        );
        foreach (var step in TestSystem.Catalogue.Steps)
            Assert.That(
                await TestSystem.Broker.CountAsync($"{step.Name}_error"),
                Is.Zero,
                $"dead-lettered messages of {step.Name}"
            );
        Assert.That(
            await TestSystem.Database.CountAsync("failures where state = $1", (short)FailureState.Failed),
            Is.Zero,
            "failures"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where subject_id = any($1) and attempts <> 1", orders),
            Is.Zero,
            "steps that needed another attempt"
        );
        Assert.That(
            (await MailsAsync()).Values,
            Is.All.LessThanOrEqualTo(2),
            "mails by customer: each test mails the same ten"
        );
    }
}
