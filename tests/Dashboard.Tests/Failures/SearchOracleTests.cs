using System.Text.Json.Nodes;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// Somebody who may search and may not see tries to read masked data by what a search finds: on pages, in the operator
/// API, in CSV files, and by what a redrive or an archive would take.
/// </summary>
internal sealed class SearchOracleTests : ShopFixture
{
    private const string Address = "zoe.mueller@example.com";
    private Guid _failure;

    [OneTimeSetUp]
    public async Task FailAsync()
    {
        var order = (
            await TestSystem.StoreAsync([.. (await OrdersAsync(1)).Select(o => o with { CustomerEmail = Address })])
        )[0];
        var id = Guid.NewGuid();
        var body = new JsonObject
        {
            ["messageId"] = id,
            ["messageType"] = new JsonArray("urn:message:Orders.Contracts:OrderAccepted"),
            ["message"] = new JsonObject
            {
                ["orderId"] = order,
                ["premium"] = false,
                ["acceptedAt"] = "2026-11-24T08:00:00Z",
                ["mail"] = Address,
            },
        };
        await TestSystem.Broker.PublishBytesAsync(
            "email_error",
            System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()),
            new Orders.Testing.Servers.ByHand { Id = id }
        );
        await UntilFailuresAsync(QueueWorkers.DeadLetters.FailureState.Failed, 1);
        _failure = await TestSystem.Database.ScalarAsync<Guid>("select id from failures where message_id = $1", id);
    }

    [Test]
    public async Task A_customer_is_not_found_letter_by_letter()
    {
        for (var length = 1; length < Address.Length; length++)
        {
            var part = Uri.EscapeDataString(Address[..length]);
            foreach (var path in new[] { "/api/failures", "/api/failures/groups" })
            {
                var answer = await GetAsync($"{path}?customer={part}", ViewerKey);
                Assert.That(
                    answer.Status == 400 || Found(answer) == 0,
                    $"'{Address[..length]}' must find nothing, found: {answer}"
                );
            }
        }

        Assert.That(Found(await GetAsync("/api/failures?customer=zoe.mueller%25@example.com", ViewerKey)), Is.Zero);
        Assert.That(
            Found(await GetAsync($"/api/failures?customer={Address.ToUpperInvariant()}", ViewerKey)),
            Is.EqualTo(1),
            "who knows the whole address finds its failures"
        );
    }

    [TestCase("text=zoe")]
    [TestCase("text=mueller")]
    [TestCase("text=example.com")]
    [TestCase("path=mail=zoe.mueller@example.com")]
    [TestCase("path=Mail=zoe.mueller@example.com")]
    public async Task What_is_masked_is_not_found_by_text_or_path(string query)
    {
        foreach (var key in new[] { ViewerKey, OperatorsKey, AdminKey })
        {
            Assert.That(Found(await GetAsync($"/api/failures?{query}", key)), Is.Zero);
            Assert.That(Found(await GetAsync($"/api/failures/groups?{query}", key)), Is.Zero);
        }

        var (name, value) = (query[..4], query[5..]);
        JsonObject Filter() => new() { [name] = value };
        var plan = await PostAsync("/api/redrives/preview", ViewerKey, new { filter = Filter(), reason = "to look" });
        Assert.That(plan.Body["total"]!.GetValue<int>(), Is.Zero, "a plan of a redrive");
        var made = await PostAsync("/api/redrives", OperatorsKey, new { filter = Filter(), reason = "to look" });
        Assert.That(made.Code, Is.EqualTo("nothing-matches"), "a redrive");
        var archived = await PostAsync(
            "/api/failures/archive",
            OperatorsKey,
            new { filter = Filter(), reason = "to look" }
        );
        Assert.That(archived.Body["archived"]!.GetValue<long>(), Is.Zero, "an archive");
    }

    [Test]
    public async Task What_everybody_sees_is_found_by_its_path()
    {
        Assert.That(Found(await GetAsync("/api/failures?path=premium=false", ViewerKey)), Is.EqualTo(1));
        Assert.That(Found(await GetAsync("/api/failures?text=no%20fault", ViewerKey)), Is.EqualTo(1));
    }

    [Test]
    public async Task An_admin_searches_what_is_masked_with_a_reason_and_a_record_that_does_not_say_for_what()
    {
        object Search(string reason) => new { filter = new { path = $"mail={Address}" }, reason };
        Assert.That((await PostAsync("/api/failures/search", OperatorsKey, Search("to look"))).Status, Is.EqualTo(403));
        Assert.That((await PostAsync("/api/failures/search", AdminKey, Search(" "))).Status, Is.EqualTo(400));
        var found = await PostAsync("/api/failures/search", AdminKey, Search("the customer rang"));
        Assert.That(found.Body["failures"]![0]!["id"]!.GetValue<Guid>(), Is.EqualTo(_failure));
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, target, reason from audit where action = 'search personal data'"
            ),
            Is.EqualTo(new object?[][] { ["anna", "failures by path mail", "the customer rang"] })
        );
        Assert.That(
            await TestSystem.Database.CountAsync("audit where position('zoe' in row_to_json(audit)::text) > 0"),
            Is.Zero,
            "records that hold the address"
        );
    }

    private static int Found(Answer answer) =>
        answer.Status != 200 ? 0
        : answer.Body is JsonArray groups ? groups.Count
        : answer.Body["total"]!.GetValue<int>();
}
