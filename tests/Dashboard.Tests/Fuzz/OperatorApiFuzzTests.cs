using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orders.Dashboard.Tests.Pages;
using Orders.Testing.Fuzz;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Tests.Fuzz;

/// <summary>
/// Mutated requests to each route of the operator API, to the pages and to the login: none fails the server, and a
/// refused one leaves no row, except the record that a known operator was refused.
/// </summary>
internal sealed class OperatorApiFuzzTests : DashboardFixture
{
    private const string Filter = """{"filter":{"step":"email","text":"mailbox"},"reason":"because"}""";

    private const string Password = "correct horse battery staple";

    private FuzzSamples _samples = null!;

    // Nothing works in the background that would write rows.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Index", "false"), ("Redrive:Run", "false"), ("Outbox:Relay", "false")];

    [OneTimeSetUp]
    public async Task MakeSamplesAsync()
    {
        var database = TestSystem.Database;
        await new ScheduleDeployment(database.Source, Workers.Schedules.Catalogue).DeployAsync(default);
        await SampleData.OrdersAsync(database, 40);
        await SampleData.FailuresAsync(database, 20);
        // A change waits for the workers that run.
        await database.ExecuteAsync("update workers set stopped_at = now() where stopped_at is null");
        await new OperatorStore(database.Source).EnsureAsync("anna", OperatorRole.Admin, Password, AdminKey, default);
        var session = await Dashboard
            .Services.GetRequiredService<OperatorSessions>()
            .BeginAsync("anna", Password, default);
        var failures = await IdsAsync("select id from failures limit 8");
        _samples = new FuzzSamples
        {
            Values = new Dictionary<string, string[]>
            {
                ["failures/id"] = failures,
                ["orders/id"] = await IdsAsync("select id from orders limit 8"),
                ["redrives/id"] = await IdsAsync("select id from redrives limit 8"),
                ["workers/id"] = await IdsAsync("select id from workers limit 8"),
                ["steps/name"] = await IdsAsync("select step from step_catalogue"),
                ["breakers/name"] = ["smtp", "warehouse"],
                ["schedules/name"] = ["completeness", "purge", "stock-report.mugs"],
            },
            Bodies = new Dictionary<string, string[]>
            {
                ["POST /api/failures/archive"] = [Filter, """{"filter":{"path":"orderId=1"},"reason":"because"}"""],
                ["POST /api/bulk-actions"] =
                [
                    """{"kind":"cancel-orders","filter":{"status":"Accepted","client":"demo","to":"2026-01-01T00:00:00Z"},"perSecond":5}""",
                    """{"kind":"archive-failures","filter":{"step":"email","text":"mailbox"}}""",
                ],
                ["POST /api/bulk-actions/{id:guid}/confirm"] = ["""{"expect":3,"reason":"because"}"""],
                ["POST /api/mcp"] =
                [
                    """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_failures","arguments":{"limit":2}}}""",
                    """{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_failure","arguments":{"id":"0198a000-0000-7000-8000-000000000002"}}}""",
                    """{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{}}""",
                ],
                ["POST /api/failures/restore"] = [$$"""{"ids":["{{failures[0]}}"],"reason":"because"}"""],
                ["POST /api/redrives"] =
                [
                    """{"filter":{"fault":"TimeoutException"},"reason":"because","canary":1,"ratePerSecond":5,"start":false}""",
                    """{"filter":{"step":"email"},"reason":"because","patch":[{"op":"replace","path":"/premium","value":true},{"op":"move","from":"/note","path":"/remark"}],"expect":3}""",
                ],
                ["POST /api/schedules"] =
                [
                    """{"kind":"stock-report","name":"mugs","cron":"0 6 * * 1-5","timeZone":"Europe/Berlin","misfire":"Once","payload":{"below":5,"articles":"MUG-"},"reason":"because"}""",
                    """{"kind":"stock-report","name":"tees","cron":"@daily","payload":{"below":"7"}}""",
                ],
                ["PATCH /api/schedules/{name}"] =
                [
                    """{"cron":"0 7 * * *","payload":{"below":6,"articles":null},"reason":"because"}""",
                ],
                ["POST /api/redrives/preview"] =
                [
                    Filter,
                    """{"filter":{"type":"OrderAccepted"},"reason":"because","patch":[{"op":"copy","from":"/note","path":"/premium"}]}""",
                ],
            },
            Headers = path =>
                path.StartsWith("/api/", StringComparison.Ordinal)
                    ? [("Authorization", $"Bearer {AdminKey}"), ("Accept", "application/json, text/event-stream")]
                    : [("Cookie", $"orders-session={session}")],
            Json = Dashboard.Services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions,
        };
    }

    // The same requests at each run: it never fails by chance.
    [Test]
    public Task A_thousand_mutated_requests_get_no_5xx_and_leave_no_row_when_refused() => RunAsync(1, 1000, IsOfApi);

    [Test]
    public async Task Five_hundred_mutated_requests_to_pages_get_no_5xx_and_leave_no_row_when_refused()
    {
        using var http = new RawHttp(Dashboard.Address);
        var page = await http.SendAsync(new FuzzRequest("GET", "/audit", [], [.. _samples.Headers("/audit")], null));
        Assert.That(page.Status, Is.EqualTo(200), $"a page with the session: {page.Text}");
        await RunAsync(1, 500, IsPage);
    }

    [Test, Category("Long")]
    public Task Fifty_thousand_mutated_requests_get_no_5xx_and_leave_no_row_when_refused() =>
        RunAsync(FuzzRun.DrawnSeed, 50_000, route => IsOfApi(route) || IsPage(route));

    private static bool IsOfApi(string route) => route.Contains(" /api/", StringComparison.Ordinal);

    // Pages that show something. What they change is changed by the same classes as in the operator API.
    private static bool IsPage(string route) => route.StartsWith("GET /", StringComparison.Ordinal) && !IsOfApi(route);

    private Task RunAsync(int seed, int count, Func<string, bool> isWanted) =>
        new FuzzRun(
            Dashboard.Address,
            FuzzRoute.Of(Dashboard.Services.GetRequiredService<EndpointDataSource>(), _samples, isWanted),
            TestSystem.Database
        )
        {
            OtherKeys = [$"Bearer {ViewerKey}", $"Bearer {OperatorsKey}", $"Bearer {OperatorKey.NewKey()}"],
            BackgroundTables = ["step_history", "alerts"],
            RecordedRefusals = [(403, "audit")],
        }.RunAsync(seed, count);

    private async Task<string[]> IdsAsync(string sql) =>
        [.. (await TestSystem.Database.RowsAsync(sql)).Select(row => row[0]!.ToString()!)];
}
