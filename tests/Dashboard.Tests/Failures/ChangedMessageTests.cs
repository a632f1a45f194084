using System.Text;
using System.Text.Json.Nodes;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// Messages that do not fit their contract are changed, one by hand or a group by a patch, and sent again.
/// </summary>
internal sealed class ChangedMessageTests : ShopFixture
{
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartStepAsync() => _host = await WorkAsync("email");

    [OneTimeTearDown]
    public ValueTask StopStepAsync() => _host.DisposeAsync();

    [Test]
    public async Task One_is_edited_within_its_contract_and_the_original_is_kept()
    {
        var order = await StoredAsync();
        var id = Guid.NewGuid();
        var original = await DeadLetterAsync(
            order,
            id,
            """{"orderId":"%","premium":"no","acceptedAt":"2026-11-24T08:00:00Z"}"""
        );
        var failure = await FailureOfAsync(id);
        var edit = $"/api/failures/{failure}/edit";
        object Payload(object premium) =>
            new
            {
                orderId = order,
                premium,
                acceptedAt = "2026-11-24T08:00:00Z",
            };

        var before = await TestSystem.Database.CountAsync("redrives");
        Assert.That(
            (
                await PostAsync(edit, OperatorsKey, new { payload = Payload(false), reason = "A flag, not a word." })
            ).Status,
            Is.EqualTo(403),
            "only an admin edits"
        );
        var misfits = new object[]
        {
            Payload("maybe"),
            new { orderId = order, premium = false },
            new
            {
                orderId = order,
                premium = false,
                acceptedAt = "2026-11-24T08:00:00Z",
                total = 0,
            },
        };
        foreach (var misfit in misfits)
            Assert.That(
                (await PostAsync(edit, AdminKey, new { payload = misfit, reason = "A flag, not a word." })).Code,
                Is.EqualTo("invalid-payload"),
                misfit.ToString()
            );
        Assert.That(
            (
                await PostAsync(
                    edit,
                    AdminKey,
                    new
                    {
                        payload = Payload(false),
                        reason = "",
                        headers = new { },
                    }
                )
            ).Status,
            Is.EqualTo(400),
            "headers cannot be given"
        );
        Assert.That(await TestSystem.Database.CountAsync("redrives"), Is.EqualTo(before), "redrives after refusals");

        const string diff = """[{"path":"/premium","from":"no","to":false}]""";
        var preview = await PostAsync(
            edit,
            AdminKey,
            new
            {
                payload = Payload(false),
                reason = "A flag, not a word.",
                preview = true,
            }
        );
        Assert.That(preview.Body["diff"]!.ToJsonString(), Is.EqualTo(diff));
        var made = await PostAsync(edit, AdminKey, new { payload = Payload(false), reason = "A flag, not a word." });
        Assert.That(made.Status, Is.EqualTo(202), made.ToString());
        var done = await UntilDoneAsync($"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}");
        Assert.That(done["done"]!.GetValue<int>(), Is.EqualTo(1), done.ToJsonString());

        Assert.That(
            await TestSystem.Database.CountAsync(
                $"effects where subject_id = $1 and effect = 'email' and state = {EffectState.Done:D} and message_id = $2",
                order,
                id
            ),
            Is.EqualTo(1),
            "the effect, by the original message id"
        );
        var closed = (await GetAsync($"/api/failures/{failure}", ViewerKey)).Body;
        Assert.That(
            JsonNode.DeepEquals(closed["edit"], JsonNode.Parse(diff)),
            Is.True,
            $"what was changed: {closed["edit"]}"
        );
        Assert.That(
            Convert.FromBase64String(closed["failure"]!["body"]!.GetValue<string>()),
            Is.EqualTo(original),
            "the original, byte for byte"
        );
        var record = (await GetAsync("/api/audit", ViewerKey))
            .Body.AsArray()
            .Single(e => e!["action"]!.GetValue<string>() == "edit and redrive")!;
        Assert.That(
            (record["who"]!.GetValue<string>(), record["reason"]!.GetValue<string>()),
            Is.EqualTo(("anna", $"A flag, not a word. (changed: {diff})"))
        );
    }

    [Test]
    public async Task A_group_is_patched_after_a_look_at_the_differences_and_what_the_patch_does_not_fit_is_left()
    {
        var deadLettered = new Dictionary<Guid, Guid>();
        foreach (var premium in new[] { "\"no\"", "\"no\"", "\"yes\"" })
        {
            var (order, id) = (await StoredAsync(), Guid.NewGuid());
            await DeadLetterAsync(
                order,
                id,
                $$"""{"orderId":"%","premium":{{premium}},"acceptedAt":"2026-11-24T08:00:00Z"}"""
            );
            deadLettered[id] = order;
        }

        var ids = await Task.WhenAll(deadLettered.Keys.Select(FailureOfAsync));
        JsonArray patch =
        [
            new JsonObject
            {
                ["op"] = "test",
                ["path"] = "/premium",
                ["value"] = "no",
            },
            new JsonObject
            {
                ["op"] = "replace",
                ["path"] = "/premium",
                ["value"] = false,
            },
        ];
        var request = new
        {
            filter = new { ids },
            reason = "Flags, not words.",
            patch,
            start = true,
        };
        var plan = (await PostAsync("/api/redrives/preview", AdminKey, request)).Body;
        Assert.That(
            (plan["total"]!.GetValue<int>(), plan["toSend"]!.GetValue<int>(), plan["invalid"]!.GetValue<int>()),
            Is.EqualTo((3, 2, 1)),
            plan.ToJsonString()
        );
        Assert.That(
            plan["diffs"]!.AsArray().Select(d => d!["diff"]!.ToJsonString()),
            Is.EqualTo(Enumerable.Repeat("""[{"path":"/premium","from":"no","to":false}]""", 2))
        );
        Assert.That(
            plan["problems"]!.AsArray().Single()!["reason"]!.GetValue<string>(),
            Does.Contain("test: /premium has another value")
        );

        Assert.That(
            (
                await PostAsync(
                    "/api/redrives/preview",
                    AdminKey,
                    request with
                    {
                        patch =
                        [
                            new JsonObject
                            {
                                ["op"] = "replace",
                                ["path"] = "/premium",
                                ["value"] = "later",
                            },
                        ],
                    }
                )
            ).Body["toSend"]!.GetValue<int>(),
            Is.Zero,
            "a patch whose result does not fit"
        );
        var made = await PostAsync("/api/redrives", AdminKey, request);
        var done = await UntilDoneAsync($"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}");
        Assert.That(
            (done["done"]!.GetValue<int>(), done["skipped"]!.GetValue<int>()),
            Is.EqualTo((2, 1)),
            done.ToJsonString()
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"effects where subject_id = any($1) and effect = 'email' and state = {EffectState.Done:D}",
                (object)deadLettered.Values.ToArray()
            ),
            Is.EqualTo(2),
            "mails"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where id = any($1) and state = {FailureState.Failed:D}",
                (object)ids
            ),
            Is.EqualTo(1),
            "the one that the patch did not fit is still dead-lettered"
        );
    }

    private async Task<Guid> StoredAsync() => (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];

    private async Task<byte[]> DeadLetterAsync(Guid order, Guid id, string payload)
    {
        var body = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["messageId"] = id,
                ["correlationId"] = order,
                ["messageType"] = new JsonArray("urn:message:Orders.Contracts:OrderAccepted"),
                ["message"] = JsonNode.Parse(payload.Replace("%", order.ToString(), StringComparison.Ordinal)),
            }.ToJsonString()
        );
        await TestSystem.Broker.PublishBytesAsync("email_error", body, new ByHand { Id = id });
        return body;
    }

    private async Task<Guid> FailureOfAsync(Guid message)
    {
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where message_id = $1", message),
            Is.EqualTo(1),
            "failures of the message"
        );
        return await TestSystem.Database.ScalarAsync<Guid>("select id from failures where message_id = $1", message);
    }
}
