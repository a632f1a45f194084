using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>Messages of strangers are dead-lettered and indexed, and looking at them loses none.</summary>
internal sealed class ForeignMessageTests : ShopFixture
{
    [Test, Order(1)]
    public async Task Malformed_unknown_empty_and_hostile_messages_are_each_dead_lettered_and_indexed_and_the_step_goes_on()
    {
        await using var host = await WorkAsync("email,inventory");
        var queues = await QueuesAsync();
        await TestSystem.Broker.PublishBytesAsync("email", "{ this is no message"u8.ToArray(), new ByHand());
        await TestSystem.Broker.PublishBytesAsync("email", Array.Empty<byte>(), new ByHand { Id = null });
        await TestSystem.Broker.PublishBytesAsync(
            "email",
            Encoding.UTF8.GetBytes(
                Envelope("Orders.Contracts:NoSuchThing", """{"orderId":"0192aaaa-0000-7000-8000-000000000001"}""", null)
            ),
            new ByHand()
        );
        await TestSystem.Broker.PublishBytesAsync(
            "email",
            Encoding.UTF8.GetBytes(
                Envelope(
                    "Orders.Contracts:OrderAccepted",
                    """{"orderId":"nobody","premium":false,"text":"\u0000 \ud800"}""",
                    "rabbitmq://localhost/evil-queue"
                )
            ),
            new ByHand()
        );
        await TestSystem.Broker.PublishBytesAsync(
            "Orders.Contracts:StockRejected",
            Encoding.UTF8.GetBytes(Envelope("Orders.Contracts:Elsewhere", "{}", null)),
            new ByHand()
        );
        await Eventually.That(
            async () =>
                (
                    await TestSystem.Broker.CountAsync("email_error"),
                    await TestSystem.Broker.CountAsync("email_skipped")
                ),
            Is.EqualTo((3u, 2u)),
            "dead-lettered messages"
        );

        await UntilFailuresAsync(FailureState.Failed, 5);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where queue = 'email_error' and kind = {FailureKind.Error:D}"
            ),
            Is.EqualTo(3)
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where queue = 'email_skipped' and kind = {FailureKind.Skipped:D}"
            ),
            Is.EqualTo(2)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("failures where body = $1", "{ this is no message"u8.ToArray()),
            Is.EqualTo(1),
            "the malformed one, byte for byte"
        );
        Assert.That(await QueuesAsync(), Is.EquivalentTo(queues), "queues");

        var order = (await OrdersAsync(1))[0];
        await PostAsync(host, [order]);
        await TestSystem.UntilAsync(order.Id, "email", QueueWorkers.Steps.StepStatus.Done);
    }

    [Test, Order(2)]
    public async Task Twenty_four_looks_lose_nothing()
    {
        for (var look = 1; look <= 24; look++)
        {
            // Also while the indexer itself looks: then this one is told so and asks again.
            var answer = await Eventually.That(
                () => PostAsync("/api/failures/look", OperatorsKey, new { queue = "email_error" }),
                Has.Property("Status").EqualTo(200),
                $"look {look}"
            );
            Assert.That(
                (answer.Body["inQueue"]!.GetValue<int>(), answer.Body["complete"]!.GetValue<bool>()),
                Is.EqualTo((3, true)),
                answer.ToString()
            );
        }

        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(3u),
            "messages in email_error"
        );
        await UntilFailuresAsync(FailureState.Failed, 5);
    }

    [Test, Order(3)]
    public async Task What_cannot_be_read_is_not_sent_again_and_the_dry_run_says_why()
    {
        var plan = (
            await PostAsync(
                "/api/redrives/preview",
                ViewerKey,
                new { filter = new { step = "email" }, reason = "to see" }
            )
        ).Body;
        Assert.That(
            (plan["total"]!.GetValue<int>(), plan["invalid"]!.GetValue<int>(), plan["toSend"]!.GetValue<int>()),
            Is.EqualTo((5, 5, 0)),
            plan.ToJsonString()
        );
    }

    [Test, Order(4)]
    public async Task Archiving_takes_messages_out_of_their_queue_and_restoring_puts_them_back()
    {
        var ids = (await GetAsync("/api/failures?queue=email_error", ViewerKey)).Body["failures"]!
            .AsArray()
            .Select(f => f!["id"]!.GetValue<Guid>())
            .ToArray();
        var archived = await PostAsync(
            "/api/failures/archive",
            OperatorsKey,
            new { filter = new { queue = "email_error" }, reason = "Strangers." }
        );
        Assert.That(archived.Body["archived"]!.GetValue<int>(), Is.EqualTo(3), archived.ToString());
        await Eventually.That(() => TestSystem.Broker.CountAsync("email_error"), Is.Zero, "messages in email_error");

        var restored = await PostAsync("/api/failures/restore", OperatorsKey, new { ids, reason = "A second look." });
        Assert.That(restored.Body["restored"]!.GetValue<int>(), Is.EqualTo(3), restored.ToString());
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(3u),
            "messages in email_error"
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where queue = 'email_error' and state = {FailureState.Failed:D} and removed_at is null and copies = 1"
                ),
            Is.EqualTo(3),
            "rows that agree"
        );
    }

    [Test, Order(5)]
    public async Task Messages_purged_by_hand_are_gone_in_the_index_too()
    {
        // Those that the index looks at are not there to take, for a moment.
        var taken = 0;
        await Eventually.That(
            async () => taken += (await TestSystem.Broker.TakeAllAsync("email_skipped")).Count,
            Is.EqualTo(2),
            "messages that were taken"
        );
        await UntilFailuresAsync(FailureState.Gone, 2);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where state = {FailureState.Gone:D} and queue = 'email_skipped' and note like '%by hand%'"
            ),
            Is.EqualTo(2)
        );
    }

    [Test, Order(6)]
    public async Task An_empty_filter_is_refused()
    {
        foreach (
            var (path, body) in new (string, object)[]
            {
                ("/api/redrives", new { filter = new { }, reason = "all" }),
                ("/api/redrives", new { filter = new { state = "Failed" }, reason = "all" }),
                ("/api/failures/archive", new { filter = new { }, reason = "all" }),
            }
        )
            Assert.That((await PostAsync(path, OperatorsKey, body)).Status, Is.EqualTo(400), path);
    }

    [Test, Order(7)]
    public async Task Looking_at_a_queue_that_holds_no_dead_letters_is_404_and_takes_nothing_in()
    {
        var (failures, settled) = await StateAsync();
        await TestSystem.Broker.PublishBytesAsync("email", "{ waits for its step"u8.ToArray(), new ByHand());
        foreach (var queue in (string?[])["email", "no-such-queue", "", "EMAIL_ERROR", new('q', 300), null])
        {
            var answer = await PostAsync("/api/failures/look", OperatorsKey, new { queue });
            Assert.That((answer.Status, answer.Code), Is.EqualTo((404, "not-found")), $"{queue}: {answer}");
        }

        Assert.That(await StateAsync(), Is.EqualTo((failures, settled)), "failures and settled steps");
        Assert.That(
            await TestSystem.Database.CountAsync("leases where name = 'failures email'"),
            Is.Zero,
            "leases of the live queue"
        );
        await Eventually.That(() => TestSystem.Broker.CountAsync("email"), Is.EqualTo(1u), "messages in email");

        async Task<(long, long)> StateAsync() =>
            (
                await TestSystem.Database.CountAsync("failures"),
                await TestSystem.Database.CountAsync("step_runs where status is not null")
            );
    }

    [Test, Order(8)]
    public async Task Looking_at_a_dead_letter_queue_that_was_deleted_is_404()
    {
        await TestSystem.Broker.DeleteQueueAsync("inventory_skipped");
        var answer = await PostAsync("/api/failures/look", OperatorsKey, new { queue = "inventory_skipped" });
        Assert.That((answer.Status, answer.Code), Is.EqualTo((404, "not-found")), answer.ToString());
    }

    private static string Envelope(string type, string message, string? faultAddress) =>
        new JsonObject
        {
            ["messageId"] = Guid.NewGuid().ToString(),
            ["messageType"] = new JsonArray($"urn:message:{type}"),
            ["faultAddress"] = faultAddress,
            ["responseAddress"] = faultAddress,
            ["message"] = "{}",
        }
            .ToJsonString()
            .Replace("\"message\":\"{}\"", $"\"message\":{message}", StringComparison.Ordinal);

    private async Task<string[]> QueuesAsync()
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(
                Encoding.UTF8.GetBytes($"{TestSystem.Broker.Options.Username}:{TestSystem.Broker.Options.Password}")
            )
        );
        var answer = await http.GetStringAsync(
            new Uri(
                TestSystem.Broker.Options.ManagementUri!,
                $"api/queues/{Uri.EscapeDataString(TestSystem.Broker.Options.VirtualHost)}?columns=name"
            )
        );
        return [.. JsonNode.Parse(answer)!.AsArray().Select(q => q!["name"]!.GetValue<string>())];
    }
}
