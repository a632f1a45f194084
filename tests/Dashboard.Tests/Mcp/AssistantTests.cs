using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using QueueWorkers.DeadLetters;
using QueueWorkers.Redrive;
using static Orders.Dashboard.Tests.Mcp.Assistant;

namespace Orders.Dashboard.Tests.Mcp;

/// <summary>An assistant at <c>/api/mcp</c>, by the client of the protocol's own SDK.</summary>
internal sealed class AssistantTests : ShopFixture
{
    private const int Count = 3;

    [OneTimeSetUp]
    public async Task ParkSomeAsync()
    {
        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(Count)));
        await UntilFailuresAsync(FailureState.Failed, Count);
    }

    [Test, Order(1)]
    public async Task It_finds_the_cause_of_a_parked_group_with_a_viewers_key()
    {
        await using var assistant = await ConnectAsync(ViewerKey);
        Assert.That(assistant.ServerInstructions, Does.Contain("rehearse_redrive"));
        var tools = await assistant.ListToolsAsync();
        Assert.That(
            tools.Select(t => t.Name),
            Is.EquivalentTo([
                "get_overview",
                "get_queues",
                "explain_order",
                "list_failure_groups",
                "list_failures",
                "get_failure",
                "rehearse_redrive",
                "confirm_redrive",
                "cancel_redrive",
                "get_redrive",
                "list_redrives",
                "rehearse_cancel_orders",
                "rehearse_replay_step",
                "rehearse_archive_failures",
                "confirm_bulk_action",
                "cancel_bulk_action",
                "get_bulk_action",
                "list_bulk_actions",
            ])
        );
        Assert.That(
            tools.Where(t => t.ProtocolTool.Annotations?.ReadOnlyHint != true).Select(t => t.Name),
            Is.EquivalentTo([
                "rehearse_redrive",
                "confirm_redrive",
                "cancel_redrive",
                "rehearse_cancel_orders",
                "rehearse_replay_step",
                "rehearse_archive_failures",
                "confirm_bulk_action",
                "cancel_bulk_action",
            ])
        );

        // By what the broker has said last, which may be less at first.
        var attention = await Eventually.That(
            async () => (await CallAsync(assistant, "get_overview"))["attention"]!.AsArray(),
            new NUnit.Framework.Constraints.PredicateConstraint<JsonArray>(all =>
                all.ToJsonString().Contains($"{Count} messages could not be processed", StringComparison.Ordinal)
            ),
            "what needs attention"
        );
        Assert.That(
            attention.Count(a => a!["what"]!.GetValue<string>() == "email_error"),
            Is.EqualTo(1),
            "the dead-letter queue among what needs attention"
        );
        var group = (await CallAsync(assistant, "list_failure_groups")).AsArray().Single()!;
        Assert.That(
            (group["step"]!.GetValue<string>(), group["count"]!.GetValue<int>()),
            Is.EqualTo(("email", Count)),
            group.ToJsonString()
        );
        var page = await CallAsync(
            assistant,
            "list_failures",
            new() { ["group"] = group["fingerprint"]!.GetValue<string>(), ["limit"] = 2 }
        );
        Assert.That(
            (page["total"]!.GetValue<int>(), page["failures"]!.AsArray().Count),
            Is.EqualTo((Count, 2)),
            page.ToJsonString()
        );

        var failure = await CallAsync(assistant, "get_failure", new() { ["id"] = group["newest"]!.GetValue<string>() });
        Assert.That(failure["failure"]!["faultMessage"]!.GetValue<string>(), Does.StartWith("No space left on device"));
        var order = failure["failure"]!["subjectId"]!.GetValue<string>();
        var explained = await CallAsync(assistant, "explain_order", new() { ["order"] = order });
        Assert.That(explained["why"]!.GetValue<string>(), Does.StartWith("Failed. Step email"));
        Assert.That(explained.ToJsonString(), Does.Not.Contain("@example.com"), "no personal data");
        Assert.That(
            (await CallAsync(assistant, "get_queues")).AsArray().Select(q => q!["name"]!.GetValue<string>()),
            Does.Contain("email")
        );
    }

    [Test, Order(2)]
    public async Task It_redrives_only_what_was_rehearsed_and_its_record_says_who()
    {
        var group = await GroupAsync();
        await using var assistant = await ConnectAsync(OperatorsKey);
        var rehearsed = await CallAsync(
            assistant,
            "rehearse_redrive",
            new() { ["group"] = group, ["reason"] = "the disk has room again" }
        );
        Assert.That(
            (rehearsed["plan"]!["toSend"]!.GetValue<int>(), rehearsed["plan"]!["total"]!.GetValue<int>()),
            Is.EqualTo((Count, Count)),
            rehearsed.ToJsonString()
        );
        var id = rehearsed["id"]!.GetValue<string>();
        Assert.That(await StageAsync(assistant, id), Is.EqualTo("DryRun"), "nothing is sent by a rehearsal");

        await using var host = await WorkAsync("email");
        await CallAsync(assistant, "confirm_redrive", new() { ["id"] = id, ["reason"] = "Otto has agreed" });
        await Eventually.That(() => StageAsync(assistant, id), Is.EqualTo("Done"), "stage");
        await UntilFailuresAsync(FailureState.Failed, 0);
        Assert.That((await MailsAsync()).Values, Has.Exactly(Count).EqualTo(1), "a mail each");
        Assert.That(
            await RefusalAsync(assistant, "confirm_redrive", new() { ["id"] = id, ["reason"] = "once more" }),
            Does.Contain("is no open rehearsal, it is Done")
        );

        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, action, reason from audit where target = $1 order by id",
                $"redrive {id}"
            ),
            Is.EqualTo(
                new object[][]
                {
                    ["otto", "rehearse redrive by MCP", "the disk has room again"],
                    ["otto", "confirm redrive by MCP", "Otto has agreed"],
                }
            )
        );
    }

    [Test, Order(3)]
    public async Task A_viewers_attempt_to_redrive_is_refused_and_recorded()
    {
        await using var assistant = await ConnectAsync(ViewerKey);
        foreach (
            var (tool, arguments) in new (string, Dictionary<string, object?>)[]
            {
                ("rehearse_redrive", new() { ["step"] = "email", ["reason"] = "curious" }),
                ("confirm_redrive", new() { ["id"] = Guid.NewGuid(), ["reason"] = "curious" }),
                ("cancel_redrive", new() { ["id"] = Guid.NewGuid(), ["reason"] = "curious" }),
            }
        )
            Assert.That(
                await RefusalAsync(assistant, tool, arguments),
                Does.Contain("needs the role operator; the key of vera has the role Viewer")
            );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'vera' and action = 'refused' and target like 'MCP %'"
            ),
            Is.EqualTo(3)
        );
    }

    // A step that keeps failing: what a person agrees to must not grow while it is chosen.
    [Test, Order(4)]
    public async Task What_fails_between_the_plan_and_the_choice_is_not_taken_along()
    {
        var orders = await TestSystem.StoreAsync(await OrdersAsync(2));
        await DeadLetterAsync(orders);
        await UntilFailuresAsync(FailureState.Failed, 2);
        // What fails later is one of the two that is another step's until then: the index needs more time than a call
        // waits for its turn on a busy machine.
        await TestSystem.Database.ExecuteAsync("update failures set step = 'another' where subject_id = $1", orders[1]);
        await using var assistant = await ConnectAsync(OperatorsKey);
        await using var held = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await held.BeginTransactionAsync();
        await using (var command = held.CreateCommand())
        {
            command.CommandText = "select pg_advisory_xact_lock(x'4f72646572730003'::bigint)";
            await command.ExecuteNonQueryAsync();
        }

        var refusal = RefusalAsync(assistant, "rehearse_redrive", new() { ["step"] = "email", ["reason"] = "again" });
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    """
                    pg_locks where locktype = 'advisory' and not granted
                        and database = (select oid from pg_database where datname = current_database())
                    """
                ),
            Is.Positive,
            "calls that wait for their turn to choose"
        );
        await TestSystem.Database.ExecuteAsync("update failures set step = 'email' where subject_id = $1", orders[1]);
        await transaction.RollbackAsync();
        Assert.That(await refusal, Does.Contain("count-changed"));
    }

    // A text of a fault has talked the assistant into it.
    [Test, Order(5)]
    public async Task It_can_neither_end_nor_start_the_redrive_of_a_person()
    {
        var made = await PostAsync(
            "/api/redrives",
            AdminKey,
            new
            {
                filter = new { step = "email" },
                reason = "by hand",
                start = false,
            }
        );
        var id = made.Body["redrive"]!["id"]!.GetValue<string>();
        await using var assistant = await ConnectAsync(OperatorsKey);
        foreach (var tool in new[] { "confirm_redrive", "cancel_redrive" })
            Assert.That(
                await RefusalAsync(assistant, tool, new() { ["id"] = id, ["reason"] = "so it was written" }),
                Does.Contain($"Redrive {id} was made by anna")
            );
        Assert.That(await StageAsync(assistant, id), Is.EqualTo("DryRun"));
    }

    [Test]
    public async Task A_database_that_does_not_answer_has_a_name()
    {
        await using var assistant = await ConnectAsync(ViewerKey);
        await using var held = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await held.BeginTransactionAsync();
        await using (var command = held.CreateCommand())
        {
            command.CommandText = "lock table redrives in access exclusive mode";
            await command.ExecuteNonQueryAsync();
        }

        Assert.That(
            await RefusalAsync(assistant, "list_redrives", []),
            Does.EndWith("It is not known whether list_redrives was carried out: look before you repeat it.")
        );
    }

    [TestCase(null)]
    [TestCase("text/plain")]
    public async Task A_body_that_does_not_say_it_is_json_is_refused(string? type)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Dashboard.Address, "/api/mcp"))
        {
            Content = new ByteArrayContent("{}"u8.ToArray()),
        };
        if (type is not null)
            request.Content.Headers.ContentType = new(type);
        request.Headers.Authorization = new("Bearer", ViewerKey);
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        using var response = await http.SendAsync(request);
        Assert.That(
            ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((415, "application/problem+json"))
        );
    }

    [TestCaseSource(nameof(States))]
    public async Task Each_state_that_the_description_names_is_one(string state)
    {
        await using var assistant = await ConnectAsync(ViewerKey);
        await CallAsync(assistant, "list_failures", new() { ["state"] = state });
    }

    private static IEnumerable<string> States => Enum.GetNames<FailureState>();

    [TestCase("rehearse_redrive", """{"reason":"all of it"}""", "filter must not be empty")]
    [TestCase("rehearse_redrive", """{"step":"email","reason":" "}""", "reason must say why")]
    [TestCase("rehearse_redrive", """{"step":"email","reason":"x","canary":5000}""", "canary must be 0–1000, got 5000")]
    [TestCase(
        "confirm_redrive",
        """{"id":"0198a000-0000-7000-8000-000000000002","reason":"x"}""",
        "There is no redrive"
    )]
    [TestCase("get_failure", """{"id":"0198a000-0000-7000-8000-000000000002"}""", "There is no failure")]
    [TestCase("explain_order", """{"order":"999999"}""", "There is no order 999999")]
    [TestCase("list_failures", """{"limit":0}""", "limit must be 1–100, got 0")]
    [TestCase("list_failures", """{"text":"ab"}""", "text must have at least 3 characters")]
    public async Task A_wrong_call_is_told_what_was_expected(string tool, string arguments, string expected)
    {
        await using var assistant = await ConnectAsync(OperatorsKey);
        Assert.That(
            await RefusalAsync(assistant, tool, JsonSerializer.Deserialize<Dictionary<string, object?>>(arguments)!),
            Does.Contain(expected)
        );
    }

    // Attack: the audit record, which is kept for ever, is filled with novels.
    [TestCase("rehearse_redrive")]
    [TestCase("confirm_redrive")]
    [TestCase("cancel_redrive")]
    public async Task A_reason_of_600_characters_is_refused_and_not_recorded(string tool)
    {
        await using var assistant = await ConnectAsync(OperatorsKey);
        Assert.That(
            await RefusalAsync(
                assistant,
                tool,
                tool == "rehearse_redrive"
                    ? new() { ["step"] = "email", ["reason"] = new string('x', 600) }
                    : new() { ["id"] = await OpenRehearsalAsync(), ["reason"] = new string('x', 600) }
            ),
            Does.Contain("reason must say why, in at most 500 characters")
        );
        Assert.That(await TestSystem.Database.CountAsync("audit where length(reason) > 500"), Is.Zero);
    }

    private async Task<Guid> OpenRehearsalAsync()
    {
        var id = Guid.CreateVersion7();
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent, total)
                values ($1, {RedriveStage.DryRun:D}, 'otto', 'open', '{"{}"}', 1, 1, 1, 1)
            """,
            id
        );
        return id;
    }

    [Test]
    public async Task Without_a_valid_key_nobody_gets_in()
    {
        foreach (var key in new[] { null, "op_short" })
        {
            var answer = await PostAsync(
                "/api/mcp",
                key,
                new
                {
                    jsonrpc = "2.0",
                    id = 1,
                    method = "tools/list",
                }
            );
            Assert.That((answer.Status, answer.Code), Is.EqualTo((401, "unauthorized")), answer.ToString());
        }
    }

    private Task<McpClient> ConnectAsync(string key) => Assistant.ConnectAsync(Dashboard.Address, key);

    private async Task<string> GroupAsync() =>
        (await GetAsync("/api/failures/groups", ViewerKey)).Body.AsArray().Single()!["fingerprint"]!.GetValue<string>();

    private static async Task<string> StageAsync(McpClient assistant, string id) =>
        (await CallAsync(assistant, "get_redrive", new() { ["id"] = id }))["redrive"]!["stage"]!.GetValue<string>();
}
