using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using Orders.Dashboard.Tests.Bulk;
using Orders.Dashboard.Tests.Pages;
using QueueWorkers.DeadLetters;
using static Orders.Dashboard.Tests.Mcp.Assistant;

namespace Orders.Dashboard.Tests.Mcp;

/// <summary>An assistant that cancels orders, replays a step and archives failures, as many as match.</summary>
internal sealed class BulkAssistantTests : BulkFixture
{
    [Test]
    public async Task It_cancels_only_what_was_rehearsed_with_the_number_that_was_seen_and_its_record_says_who()
    {
        await OrdersAsync("assisted", 3);
        await using var assistant = await ConnectAsync(OperatorsKey);
        var rehearsed = await CallAsync(
            assistant,
            "rehearse_cancel_orders",
            new() { ["client"] = "assisted", ["reason"] = "the supplier is bankrupt" }
        );
        var action = rehearsed["bulkAction"]!;
        Assert.That(
            (action["kind"]!.GetValue<string>(), action["state"]!.GetValue<string>(), Number(action, "total")),
            Is.EqualTo(("cancel-orders", "Rehearsed", 3)),
            rehearsed.ToJsonString()
        );
        Assert.That(rehearsed["next"]!.GetValue<string>(), Does.Contain("expect 3"));
        Assert.That(await CancelledAsync("assisted"), Is.Zero, "a rehearsal changes nothing");
        await OrdersAsync("assisted", 1);

        var id = action["id"]!.GetValue<string>();
        Assert.That(
            await RefusalAsync(assistant, "confirm_bulk_action", Confirmation(id, 4)),
            Does.Contain("count-changed: The rehearsal is about 3 targets, not 4")
        );
        for (var time = 0; time < 2; time++)
            await CallAsync(assistant, "confirm_bulk_action", Confirmation(id, 3));
        await UntilFinishedAsync(assistant, id);
        Assert.That(await CancelledAsync("assisted"), Is.EqualTo(3));
        Assert.That(await ToldAsync("assisted"), Is.EqualTo((3, 3)), "each order once");
        Assert.That(
            await RefusalAsync(assistant, "cancel_bulk_action", new() { ["id"] = id, ["reason"] = "too late" }),
            Does.EndWith("not-open: It has ended before.")
        );
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, action, count, reason from audit where target = $1 order by id",
                $"bulk action {id}"
            ),
            Is.EqualTo(
                new object[][]
                {
                    ["otto", "rehearse cancel orders by MCP", 3, "the supplier is bankrupt"],
                    ["otto", "cancel orders by MCP", 3, "Otto has agreed"],
                }
            )
        );
        Assert.That(
            (await CallAsync(assistant, "list_bulk_actions")).AsArray().Select(a => a!["id"]!.GetValue<string>()),
            Does.Contain(id)
        );
    }

    [Test]
    public async Task It_replays_a_step_and_archives_failures()
    {
        await using var assistant = await ConnectAsync(OperatorsKey);
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted'] where step = 'hurried'"
        );
        await OrdersAsync("fed", 2);
        var replay = await CallAsync(
            assistant,
            "rehearse_replay_step",
            new()
            {
                ["replay"] = "hurried",
                ["client"] = "fed",
                ["reason"] = "a new text",
            }
        );
        await SampleData.FailuresAsync(TestSystem.Database, 40);
        var archive = await CallAsync(
            assistant,
            "rehearse_archive_failures",
            new() { ["group"] = "group1", ["reason"] = "nobody needs them" }
        );
        foreach (
            var (rehearsed, kind) in ((JsonNode, string)[])[(replay, "replay-step"), (archive, "archive-failures")]
        )
        {
            var action = rehearsed["bulkAction"]!;
            Assert.That(action["kind"]!.GetValue<string>(), Is.EqualTo(kind));
            Assert.That(Number(action, "total"), Is.Positive, rehearsed.ToJsonString());
            var id = action["id"]!.GetValue<string>();
            await CallAsync(assistant, "confirm_bulk_action", Confirmation(id, Number(action, "total")));
            await UntilFinishedAsync(assistant, id);
        }

        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where fingerprint = 'group1' and state = {FailureState.Archived:D}"
            ),
            Is.GreaterThanOrEqualTo(Number(archive["bulkAction"]!, "total"))
        );
    }

    [Test]
    public async Task A_rehearsal_that_is_cancelled_cannot_be_confirmed()
    {
        await OrdersAsync("spared", 1);
        await using var assistant = await ConnectAsync(OperatorsKey);
        var id = (
            await CallAsync(
                assistant,
                "rehearse_cancel_orders",
                new() { ["client"] = "spared", ["reason"] = "to see how many" }
            )
        )["bulkAction"]!["id"]!.GetValue<string>();
        var ended = await CallAsync(assistant, "cancel_bulk_action", new() { ["id"] = id, ["reason"] = "no" });
        Assert.That(ended["state"]!.GetValue<string>(), Is.EqualTo("Ended"));
        Assert.That(
            await RefusalAsync(assistant, "confirm_bulk_action", Confirmation(id, 1)),
            Does.EndWith("not-open: It is no open rehearsal any more. Ended by otto: no")
        );
        Assert.That(await CancelledAsync("spared"), Is.Zero);
    }

    // A text of a fault has talked the assistant into it.
    [Test]
    public async Task It_can_neither_start_nor_end_the_bulk_action_of_a_person()
    {
        await OrdersAsync("personal", 1);
        var made = await PostAsync(
            "/api/bulk-actions",
            AdminKey,
            new { kind = "cancel-orders", filter = new { client = "personal" } }
        );
        var id = made.Body["id"]!.GetValue<string>();
        await using var assistant = await ConnectAsync(OperatorsKey);
        foreach (
            var (tool, arguments) in ((string, Dictionary<string, object?>)[])
                [
                    ("confirm_bulk_action", Confirmation(id, 1)),
                    ("cancel_bulk_action", new() { ["id"] = id, ["reason"] = "so it was written" }),
                ]
        )
            Assert.That(
                await RefusalAsync(assistant, tool, arguments),
                Does.Contain($"Bulk action {id} was made by anna; here only those can be changed that otto has")
            );
        Assert.That(
            (await CallAsync(assistant, "get_bulk_action", new() { ["id"] = id }))["state"]!.GetValue<string>(),
            Is.EqualTo("Rehearsed")
        );
    }

    [Test]
    public async Task A_viewers_attempts_are_refused_and_recorded()
    {
        await using var assistant = await ConnectAsync(ViewerKey);
        foreach (var (tool, arguments) in Calls("curious"))
            Assert.That(
                await RefusalAsync(assistant, tool, arguments),
                Does.Contain("needs the role operator; the key of vera has the role Viewer")
            );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'vera' and action = 'refused' and target like 'MCP %'"
            ),
            Is.EqualTo(Calls("").Length)
        );
        Assert.That(await TestSystem.Database.CountAsync("bulk_actions where created_by = 'vera'"), Is.Zero);
    }

    // Attack: the audit record, which is kept for ever, is filled with novels.
    [Test]
    public async Task A_reason_of_600_characters_is_refused_and_not_recorded()
    {
        await using var assistant = await ConnectAsync(OperatorsKey);
        foreach (var (tool, arguments) in Calls(new string('x', 600)))
            Assert.That(
                await RefusalAsync(assistant, tool, arguments),
                Does.Contain("reason must say why, in at most 500 characters")
            );
        Assert.That(await TestSystem.Database.CountAsync("audit where length(reason) > 500"), Is.Zero);
    }

    [TestCase("rehearse_cancel_orders", """{"reason":"all"}""", "An empty filter would concern every order")]
    [TestCase("rehearse_cancel_orders", """{"client":"x","reason":"x","perSecond":5000}""", "perSecond must be 1–1000")]
    [TestCase("rehearse_cancel_orders", """{"status":"Accepted","reason":" "}""", "reason must say why")]
    [TestCase("rehearse_replay_step", """{"replay":"parrot","client":"x","reason":"x"}""", "invalid-step: ")]
    [TestCase("rehearse_archive_failures", """{"reason":"all"}""", "An empty filter would archive everything")]
    [TestCase("get_bulk_action", """{"id":"0198a000-0000-7000-8000-000000000002"}""", "There is no bulk action")]
    [TestCase(
        "confirm_bulk_action",
        """{"id":"0198a000-0000-7000-8000-000000000002","expect":1,"reason":"x"}""",
        "There is no bulk action"
    )]
    public async Task A_wrong_call_is_told_what_was_expected(string tool, string arguments, string expected)
    {
        await using var assistant = await ConnectAsync(OperatorsKey);
        Assert.That(
            await RefusalAsync(assistant, tool, JsonSerializer.Deserialize<Dictionary<string, object?>>(arguments)!),
            Does.Contain(expected)
        );
    }

    // Every tool that changes something.
    private static (string Tool, Dictionary<string, object?> Arguments)[] Calls(string reason) =>
        [
            ("rehearse_cancel_orders", new() { ["client"] = "x", ["reason"] = reason }),
            (
                "rehearse_replay_step",
                new()
                {
                    ["replay"] = "hurried",
                    ["client"] = "x",
                    ["reason"] = reason,
                }
            ),
            ("rehearse_archive_failures", new() { ["group"] = "x", ["reason"] = reason }),
            ("confirm_bulk_action", Confirmation(Guid.NewGuid().ToString(), 1, reason)),
            ("cancel_bulk_action", new() { ["id"] = Guid.NewGuid(), ["reason"] = reason }),
        ];

    private static Dictionary<string, object?> Confirmation(string id, int expect, string reason = "Otto has agreed") =>
        new()
        {
            ["id"] = id,
            ["expect"] = expect,
            ["reason"] = reason,
        };

    private static Task<string> UntilFinishedAsync(McpClient assistant, string id) =>
        Eventually.That(
            async () =>
                (await CallAsync(assistant, "get_bulk_action", new() { ["id"] = id }))["state"]!.GetValue<string>(),
            Is.EqualTo("Finished"),
            "state of the bulk action",
            TimeSpan.FromMinutes(1)
        );

    private Task<McpClient> ConnectAsync(string key) => Assistant.ConnectAsync(Dashboard.Address, key);
}
