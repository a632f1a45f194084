using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing.Fuzz;

namespace Orders.Producer.Api.Tests.Fuzz;

/// <summary>Mutated requests to each route of the API: none fails the server, and a refused one leaves no row.</summary>
internal sealed class ApiFuzzTests : ApiFixture
{
    private const string Everything = "ok_AliceMayDoAllAliceMayDoAllAliceMayDoAllAlic";

    private const string Webhook = """
        {"url":"https://shop.example/events","events":["order.completed","order.rejected"]}
        """;

    private const string Revoked = "ok_RevokedRevokedRevokedRevokedRevokedRevokedR";

    private FuzzSamples _samples = null!;

    [OneTimeSetUp]
    public async Task MakeSamplesAsync()
    {
        await AddKeyAsync("alice", Everything, "orders:write", "orders:read", "webhooks:write");
        await AddKeyAsync("alice", Revoked, "orders:write", "orders:read");
        await Database.ExecuteAsync(
            "update api_keys set revoked_at = now() where hash = $1",
            Infrastructure.ApiKeys.HashOf(Revoked)
        );
        string[] orders =
        [
            .. await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => (await OrderAsync()).ToString())),
            (await OrderAsync(Bob)).ToString(),
        ];
        var webhook = await SendAsync(HttpMethod.Post, "/webhooks", Everything, Json(Webhook));
        Assert.That(webhook.Status, Is.EqualTo(201), webhook.ToString());
        _samples = new FuzzSamples
        {
            Values = new Dictionary<string, string[]>
            {
                ["orders/id"] = orders,
                ["webhooks/id"] = [webhook.Body["id"]!.GetValue<string>(), Guid.NewGuid().ToString()],
                ["documentName"] = ["v1"],
            },
            Bodies = new Dictionary<string, string[]>
            {
                ["POST /orders"] =
                [
                    SampleOrder.Text,
                    SampleOrder.WithReleaseAt("\"2026-12-24T10:00:00Z\""),
                    SampleOrder.WithLocale("\"de-AT\""),
                ],
                ["POST /orders/batch"] =
                [
                    $$"""{"orders":[{{SampleOrder.Text}},{{SampleOrder.WithNotes("\"a\",\"idempotencyKey\":\"k-1\"")}}]}""",
                ],
                ["POST /webhooks"] = [Webhook, """{"url":"https://shop.example/all"}"""],
            },
            Headers = _ => [("Authorization", $"Bearer {Everything}")],
        };
    }

    // The same requests at each run of the gate: it never fails by chance.
    [Test]
    public Task A_thousand_mutated_requests_get_no_5xx_and_leave_no_row_when_refused() => RunAsync(1, 1000);

    [Test, Category("Long")]
    public Task Fifty_thousand_mutated_requests_get_no_5xx_and_leave_no_row_when_refused() =>
        RunAsync(FuzzRun.DrawnSeed, 50_000);

    private Task RunAsync(int seed, int count) =>
        new FuzzRun(
            Api.Address,
            FuzzRoute.Of(Api.Services.GetRequiredService<EndpointDataSource>(), _samples, _ => true),
            Database
        )
        {
            // Repeated orders are counted some time after their answers.
            BackgroundTables = ["duplicates", "duplicate_counts"],
            OtherKeys = [.. new[] { Bob, AliceReads, AliceWrites, Revoked }.Select(key => $"Bearer {key}")],
        }.RunAsync(seed, count);
}
