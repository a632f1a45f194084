using System.Text.Json.Nodes;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// A patch reads what it moves, copies and tests: it needs the role that changing one message needs, and what is masked
/// stays masked wherever the patch brings it.
/// </summary>
internal sealed class PatchOracleTests : ShopFixture
{
    private const string Secret = "zoe@example.com";
    private Guid _failure;

    [OneTimeSetUp]
    public async Task FailAsync()
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        var id = Guid.NewGuid();
        var body = new JsonObject
        {
            ["messageId"] = id,
            ["messageType"] = new JsonArray("urn:message:Orders.Contracts:OrderRejected"),
            ["message"] = new JsonObject
            {
                ["orderId"] = order,
                ["reason"] = "sold out",
                ["rejectedAt"] = "2026-11-24T08:00:00Z",
                ["mail"] = Secret,
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

    [TestCase("""[{"op":"move","from":"/mail","path":"/reason"}]""")]
    [TestCase("""[{"op":"copy","from":"/mail","path":"/reason"},{"op":"remove","path":"/mail"}]""")]
    public async Task A_masked_value_stays_masked_wherever_a_patch_brings_it(string patch)
    {
        var plan = await PreviewAsync(AdminKey, patch);
        Assert.That(plan.Status, Is.EqualTo(200), plan.ToString());
        Assert.That(plan.Text, Does.Not.Contain("zoe"));
        var diff = plan.Body["diffs"]![0]!["diff"]!.AsArray();
        Assert.That(
            diff.Single(d => d!["path"]!.GetValue<string>() == "/reason")!["to"]!.GetValue<string>(),
            Is.EqualTo("••••••"),
            plan.ToString()
        );
        Assert.That(
            diff.Single(d => d!["path"]!.GetValue<string>() == "/reason")!["from"]!.GetValue<string>(),
            Is.EqualTo("sold out"),
            plan.ToString()
        );
    }

    [Test]
    public async Task Changing_many_messages_needs_the_role_that_changing_one_needs()
    {
        const string patch = """[{"op":"remove","path":"/mail"}]""";
        foreach (var key in new[] { ViewerKey, OperatorsKey })
        {
            var answer = await PreviewAsync(key, patch);
            Assert.That((answer.Status, answer.Code), Is.EqualTo((403, "missing-role")), answer.ToString());
        }

        Assert.That((await RedriveAsync(OperatorsKey, patch)).Code, Is.EqualTo("missing-role"));
        Assert.That(await TestSystem.Database.CountAsync("redrives where created_by = 'otto'"), Is.Zero);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'otto' and action = 'refused' and target = 'POST /api/redrives with a patch'"
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_test_on_a_masked_value_is_a_look_at_it_and_stands_in_the_record()
    {
        await PreviewAsync(AdminKey, """[{"op":"test","path":"/reason","value":"sold out"}]""");
        Assert.That(await LooksAsync(), Is.Zero, "everybody sees that member");
        await PreviewAsync(AdminKey, """[{"op":"test","path":"/mail","value":"zoe@example.org"}]""");
        Assert.That(await LooksAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_value_that_a_patch_writes_is_masked_where_no_contract_shows_it()
    {
        const string patch =
            """[{"op":"add","path":"/mail","value":"eve@example.com"},{"op":"replace","path":"/reason","value":"x"}]""";
        var made = await RedriveAsync(AdminKey, patch, start: false);
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        Assert.That(made.Text, Does.Not.Contain("eve@"));
        var id = made.Body["redrive"]!["id"]!.GetValue<Guid>();
        foreach (var path in new[] { $"/api/redrives/{id}", "/api/redrives" })
            Assert.That((await GetAsync(path, ViewerKey)).Text, Does.Not.Contain("eve@").And.Contain("/mail"));
        await PostAsync($"/api/redrives/{id}/cancel", AdminKey, new { reason = "a test" });
    }

    private Task<long> LooksAsync() =>
        TestSystem.Database.CountAsync(
            "audit where action = 'reveal personal data' and target = 'failures, by a test in a patch'"
        );

    private Task<Answer> PreviewAsync(string key, string patch) =>
        PostAsync("/api/redrives/preview", key, Request(patch, start: false));

    private Task<Answer> RedriveAsync(string key, string patch, bool start = true) =>
        PostAsync("/api/redrives", key, Request(patch, start));

    private object Request(string patch, bool start) =>
        new
        {
            filter = new { ids = new[] { _failure } },
            reason = "to change it",
            patch = JsonNode.Parse(patch),
            start,
        };
}
