using System.Text.Json.Nodes;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>Redrives that stop, by themselves or by hand, go on and are cancelled; and their totals.</summary>
internal sealed class StoppedRedriveTests : ShopFixture
{
    private const int Count = 30;
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartStepAsync() => _host = await WorkAsync("email");

    [OneTimeTearDown]
    public ValueTask StopStepAsync() => _host.DisposeAsync();

    [Test, Order(1)]
    public async Task One_whose_canary_fails_again_stops_by_itself_and_goes_on_with_a_new_canary_when_it_is_told_to()
    {
        var orders = await OrdersAsync(Count);
        await DeadLetterAsync(await TestSystem.StoreAsync(orders));
        await UntilFailuresAsync(FailureState.Failed, Count);
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        var redrive = await StartAsync(
            new
            {
                filter = new { fault = "IOException" },
                reason = "The disk is back.",
                start = true,
                canary = 10,
                ratePerSecond = 500,
            }
        );

        var stopped = await UntilStoppedAsync(redrive);
        Assert.That(Totals(stopped), Is.EqualTo((Count - 10, 0, 0, 10, 0)), stopped.ToJsonString());
        Assert.That(
            stopped["redrive"]!["stoppedBecause"]!.GetValue<string>(),
            Is.EqualTo("10 of 10 failed again, more than 20 %.")
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where state = {FailureState.FailedAgain:D} and generation = 0 and note = 'It was redriven and failed again.'"
            ),
            Is.EqualTo(10),
            "first generation"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures n join failures f on f.message_id = n.message_id and f.generation = 0 where n.state = {FailureState.Failed:D} and n.generation = 1 and n.first_at = f.first_at"
            ),
            Is.EqualTo(10),
            "second generation, dead-lettered, and since when"
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo((uint)Count),
            "messages in email_error: each once"
        );
        Assert.That(
            (await PostAsync($"{redrive}/stop", OperatorsKey, new { reason = "again" })).Code,
            Is.EqualTo("not-open")
        );

        // Ten failures before do not stop it again at once: it is judged by what comes now.
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        Assert.That(
            (
                await PostAsync(
                    $"{redrive}/resume",
                    OperatorsKey,
                    new { reason = "The mail server takes mails again." }
                )
            ).Status,
            Is.EqualTo(200)
        );
        Assert.That(Totals(await UntilDoneAsync(redrive)), Is.EqualTo((0, 0, Count - 10, 10, 0)));
    }

    [Test, Order(2)]
    public async Task What_failed_again_is_redriven_again_and_done()
    {
        var redrive = await StartAsync(
            new
            {
                filter = new { fault = "PermanentFaultException" },
                reason = "The rest of them.",
                start = true,
                expect = 10,
            }
        );
        Assert.That(Totals(await UntilDoneAsync(redrive)), Is.EqualTo((0, 0, 10, 0, 0)));
        Assert.That((await MailsAsync()).Values, Has.Count.EqualTo(Count).And.All.EqualTo(1), "mails by customer");
        await Eventually.That(() => TestSystem.Broker.CountAsync("email_error"), Is.Zero, "messages in email_error");
        Assert.That(
            await TestSystem.Database.CountAsync($"step_runs where step = 'email' and status <> {StepStatus.Done:D}"),
            Is.Zero,
            "steps that are not done"
        );
    }

    [Test, Order(3)]
    public async Task One_is_stopped_goes_on_and_is_cancelled_by_hand_and_frees_what_it_did_not_send()
    {
        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(Count)));
        await UntilFailuresAsync(FailureState.Failed, Count);
        var redrive = await StartAsync(
            new
            {
                filter = new { step = "email" },
                reason = "Slowly.",
                start = true,
                canary = 0,
                ratePerSecond = 1,
            }
        );
        await Eventually.That(
            async () => (await GetAsync(redrive, ViewerKey)).Body["done"]!.GetValue<int>(),
            Is.GreaterThan(0),
            "messages done"
        );

        Assert.That(
            (await PostAsync($"{redrive}/stop", OperatorsKey, new { reason = "To look." })).Status,
            Is.EqualTo(200)
        );
        var stopped = await Eventually.That(
            async () => (await GetAsync(redrive, ViewerKey)).Body,
            new NUnit.Framework.Constraints.PredicateConstraint<JsonNode>(r => Totals(r).Sent == 0),
            "a stopped redrive, nothing on its way"
        );
        Assert.That(stopped["redrive"]!["stoppedBecause"]!.GetValue<string>(), Is.EqualTo("Stopped by otto: To look."));
        Assert.That(
            (
                await PostAsync(
                    "/api/redrives",
                    OperatorsKey,
                    new
                    {
                        filter = new { step = "email" },
                        reason = "Mine.",
                        start = true,
                    }
                )
            ).Code,
            Is.EqualTo("outstanding"),
            "a stopped one keeps its messages"
        );

        Assert.That(
            (await PostAsync($"{redrive}/resume", OperatorsKey, new { reason = "Looked." })).Status,
            Is.EqualTo(200)
        );
        await Eventually.That(
            async () => Totals((await GetAsync(redrive, ViewerKey)).Body).Done,
            Is.GreaterThan(Totals(stopped).Done),
            "messages done after it went on"
        );
        Assert.That(
            (await PostAsync($"{redrive}/cancel", OperatorsKey, new { reason = "Enough." })).Status,
            Is.EqualTo(200)
        );
        var done = await UntilDoneAsync(redrive);
        var totals = Totals(done);
        Assert.That(
            (totals.Waiting + totals.Sent + totals.FailedAgain, totals.Done + totals.Skipped),
            Is.EqualTo((0, Count)),
            done.ToJsonString()
        );
        Assert.That(totals.Skipped, Is.GreaterThan(0), "messages that were not sent");
        Assert.That(
            (await PostAsync($"{redrive}/resume", OperatorsKey, new { reason = "After all." })).Code,
            Is.EqualTo("not-open")
        );

        var rest = await StartAsync(
            new
            {
                filter = new { step = "email" },
                reason = "The rest.",
                start = true,
                ratePerSecond = 500,
                expect = totals.Skipped,
            }
        );
        Assert.That(Totals(await UntilDoneAsync(rest)), Is.EqualTo((0, 0, totals.Skipped, 0, 0)));
        var actions = (await GetAsync("/api/audit", ViewerKey))
            .Body.AsArray()
            .Where(e => e!["target"]?.GetValue<string>() == $"redrive {redrive.Split('/')[^1]}")
            .Select(e => e!["action"]!.GetValue<string>());
        Assert.That(
            actions.Reverse(),
            Is.EqualTo(new[] { "redrive", "stop redrive", "resume redrive", "cancel redrive" }),
            "the record"
        );
    }

    [Test, Order(4)]
    public async Task The_dry_run_says_what_holds_a_step_up()
    {
        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(1)));
        await UntilFailuresAsync(FailureState.Failed, 1);
        Assert.That(await TargetAsync(), Is.EqualTo((true, "")));

        await PostAsync("/api/steps/email/pause", OperatorsKey, new { reason = "until Monday" });
        Assert.That(await TargetAsync(), Is.EqualTo((false, "The step is paused by otto: until Monday")));
        await PostAsync("/api/steps/email/resume", OperatorsKey, new { reason = "Monday" });
        await SendAsync(
            HttpMethod.Put,
            "/api/breakers/smtp",
            OperatorsKey,
            new { force = "Open", reason = "maintenance" }
        );
        Assert.That(await TargetAsync(), Is.EqualTo((false, "The breaker of smtp is held open: otto: maintenance")));
        await SendAsync(HttpMethod.Put, "/api/breakers/smtp", OperatorsKey, new { force = "Closed", reason = "over" });
        Assert.That(await TargetAsync(), Is.EqualTo((true, "")));
        Assert.That(
            await TestSystem.StatusAsync(
                await TestSystem.Database.ScalarAsync<Guid>(
                    $"select subject_id from failures where state = {FailureState.Failed:D}"
                ),
                "email"
            ),
            Is.EqualTo(StepStatus.Failed),
            "nothing was sent"
        );
    }

    private async Task<(bool Healthy, string Note)> TargetAsync()
    {
        // A step that was let go on has consumers again a moment later.
        var target = (
            await Eventually.That(
                async () =>
                    (
                        await PostAsync(
                            "/api/redrives/preview",
                            ViewerKey,
                            new { filter = new { step = "email" }, reason = "to see" }
                        )
                    ).Body["targets"]!
                        .AsArray()
                        .Single()!,
                new NUnit.Framework.Constraints.PredicateConstraint<JsonNode>(t =>
                    t["note"]?.GetValue<string>() != "Its queue has no consumer."
                ),
                "the target"
            )
        );
        Assert.That(
            (target["step"]!.GetValue<string>(), target["messages"]!.GetValue<int>()),
            Is.EqualTo(("email", 1)),
            target.ToJsonString()
        );
        return (target["healthy"]!.GetValue<bool>(), target["note"]?.GetValue<string>() ?? "");
    }

    private async Task<string> StartAsync(object request)
    {
        var made = await PostAsync("/api/redrives", OperatorsKey, request);
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        return $"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}";
    }

    private Task<JsonNode> UntilStoppedAsync(string redrive) =>
        Eventually.That(
            async () => (await GetAsync(redrive, ViewerKey)).Body,
            new NUnit.Framework.Constraints.PredicateConstraint<JsonNode>(r =>
                r["redrive"]!["stoppedBecause"] is not null
            ),
            "a stopped redrive"
        );

    private static (int Waiting, int Sent, int Done, int FailedAgain, int Skipped) Totals(JsonNode redrive) =>
        (
            redrive["waiting"]!.GetValue<int>(),
            redrive["sent"]!.GetValue<int>(),
            redrive["done"]!.GetValue<int>(),
            redrive["failedAgain"]!.GetValue<int>(),
            redrive["skipped"]!.GetValue<int>()
        );
}
