using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Dashboard.Failures;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// What the operator API shows of a message: what is personal, and what the contract does not know, is masked until an
/// admin says why; as on the pages.
/// </summary>
internal sealed class MaskingTests : ShopFixture
{
    private const string Secret = "zoe@example.com";

    [Test]
    public async Task Nobody_sees_what_is_hidden_until_an_admin_says_why()
    {
        var failure = await FailureAsync(
            """{"orderId":"0198a000-0000-7000-8000-000000000002","premium":"no","acceptedAt":"2026-11-24T08:00:00Z","mail":"zoe@example.com"}"""
        );
        foreach (var key in new[] { ViewerKey, OperatorsKey, AdminKey })
        {
            var answer = await GetAsync($"/api/failures/{failure}", key);
            Assert.That(answer.Text, Does.Not.Contain(Secret));
            Assert.That(
                (
                    answer.Body["masked"]!.GetValue<bool>(),
                    answer.Body["payload"]!["mail"]!.GetValue<string>(),
                    answer.Body["payload"]!["premium"]!.GetValue<string>(),
                    answer.Body["text"],
                    answer.Body["failure"]!["body"]
                ),
                Is.EqualTo((true, "••••••", "no", (JsonNode?)null, (JsonNode?)null)),
                answer.ToString()
            );
        }

        var reveal = $"/api/failures/{failure}/reveal";
        Assert.That((await PostAsync(reveal, OperatorsKey, new { reason = "to see" })).Status, Is.EqualTo(403));
        Assert.That((await PostAsync(reveal, AdminKey, new { reason = " " })).Code, Is.EqualTo("invalid-parameter"));
        Assert.That(
            (await PostAsync($"/api/failures/{Guid.NewGuid()}/reveal", AdminKey, new { reason = "to see" })).Code,
            Is.EqualTo("not-found")
        );
        Assert.That(await RecordsAsync(failure), Is.Empty, "nothing was shown so far");
        var revealed = (await PostAsync(reveal, AdminKey, new { reason = "the customer rang" })).Body;
        Assert.That(
            (revealed["masked"]!.GetValue<bool>(), revealed["payload"]!["mail"]!.GetValue<string>()),
            Is.EqualTo((false, Secret))
        );
        Assert.That(Convert.FromBase64String(revealed["failure"]!["body"]!.GetValue<string>()), Is.Not.Empty);
        Assert.That(await RecordsAsync(failure), Is.EqualTo(new object?[][] { ["anna", "the customer rang"] }));
    }

    [Test]
    public async Task A_change_shows_in_the_plan_and_in_the_record_which_members_it_concerns_and_no_more()
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        var failure = await FailureAsync(
            $$"""{"orderId":"{{order}}","premium":"no","acceptedAt":"2026-11-24T08:00:00Z","mail":"zoe@example.com"}"""
        );
        var patch = new JsonArray
        {
            new JsonObject { ["op"] = "remove", ["path"] = "/mail" },
            new JsonObject
            {
                ["op"] = "replace",
                ["path"] = "/premium",
                ["value"] = false,
            },
        };
        const string Shown = """[{"path":"/mail","from":"••••••"},{"path":"/premium","from":"no","to":false}]""";
        var plan = await PostAsync(
            "/api/redrives/preview",
            AdminKey,
            new
            {
                filter = new { ids = new[] { failure } },
                reason = "to see",
                patch,
            }
        );
        Assert.That(
            JsonNode.DeepEquals(plan.Body["diffs"]![0]!["diff"], JsonNode.Parse(Shown)),
            Is.True,
            plan.ToString()
        );

        object Edit(bool preview) =>
            new
            {
                payload = new
                {
                    orderId = order,
                    premium = false,
                    acceptedAt = "2026-11-24T08:00:00Z",
                },
                reason = "as the contract says",
                preview,
            };
        Assert.That(
            (await PostAsync($"/api/failures/{failure}/edit", AdminKey, Edit(preview: true))).Text,
            Does.Contain(Secret),
            "an admin who has said why sees it"
        );
        Assert.That(
            await RecordsAsync(failure),
            Is.EqualTo(new object?[][] { ["anna", "as the contract says"] }),
            "and that is a look like any other"
        );
        Assert.That(
            (await PostAsync($"/api/failures/{failure}/edit", AdminKey, Edit(preview: false))).Status,
            Is.EqualTo(202)
        );
        var record = await TestSystem.Database.ScalarAsync<string>(
            "select reason from audit where action = 'edit and redrive'"
        );
        Assert.That(
            record,
            Does.StartWith("as the contract says (changed: [").And.Contain("/mail").And.Not.Contain(Secret)
        );
    }

    [Test]
    public void Whatever_is_marked_in_a_contract_is_masked_wherever_it_stands()
    {
        var hides = false;
        var shown = PayloadMask.Of(
            JsonNode.Parse(
                """{"id":1,"who":{"name":"Zoe","town":"Hamburg"},"all":[{"name":"Max","town":"Kiel"}],"more":{"a":1},"last":"Eve"}"""
            ),
            typeof(Letter),
            ref hides
        );
        Assert.That(
            shown!.ToJsonString(Plain),
            Is.EqualTo(
                """{"id":1,"who":{"name":"••••••","town":"Hamburg"},"all":[{"name":"••••••","town":"Kiel"}],"more":"••••••","last":"••••••"}"""
            )
        );
        Assert.That(hides, Is.True);
        Assert.That(
            PayloadMask
                .OfDifferences(
                    JsonNode.Parse(
                        """[{"path":"/who/name","from":"Zoe","to":"Eve"},{"path":"/id","to":2},{"path":"/who","from":{"name":"Zoe"}},{"path":"","from":"text"}]"""
                    ),
                    typeof(Letter)
                )
                .ToJsonString(Plain),
            Is.EqualTo(
                """[{"path":"/who/name","from":"••••••","to":"••••••"},{"path":"/id","to":2},{"path":"/who","from":{"name":"••••••"}},{"path":"","from":"••••••"}]"""
            )
        );
        Assert.That(
            PayloadMask.OfDifferences(JsonNode.Parse("""[{"path":"/a","to":1}]"""), null).ToJsonString(Plain),
            Is.EqualTo("""[{"path":"/a","to":"••••••"}]"""),
            "a type that nobody knows"
        );
    }

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private Task<List<object?[]>> RecordsAsync(Guid failure) =>
        TestSystem.Database.RowsAsync(
            "select who, reason from audit where action = 'reveal personal data' and target = $1 order by id",
            $"failure {failure}"
        );

    private async Task<Guid> FailureAsync(string payload)
    {
        var id = Guid.NewGuid();
        var body = new JsonObject
        {
            ["messageId"] = id,
            ["messageType"] = new JsonArray("urn:message:Orders.Contracts:OrderAccepted"),
            ["message"] = JsonNode.Parse(payload),
        };
        await TestSystem.Broker.PublishBytesAsync(
            "email_error",
            System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()),
            new Orders.Testing.Servers.ByHand { Id = id }
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where message_id = $1", id),
            Is.EqualTo(1),
            "failures of the message"
        );
        return await TestSystem.Database.ScalarAsync<Guid>("select id from failures where message_id = $1", id);
    }

    private sealed record Letter(int Id, Person Who, IReadOnlyList<Person> All, Person? Last);

    private sealed record Person([property: Personal] string Name, string Town);
}
