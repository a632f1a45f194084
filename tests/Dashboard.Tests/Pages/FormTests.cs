using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// What a person changes with the forms of the pages, one after the other, looked up in the database and the record.
/// </summary>
internal sealed class FormTests : ShopFixture
{
    private static readonly LocatorAssertionsToHaveTextOptions Soon = new() { Timeout = 30_000 };

    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartStepAsync()
    {
        await Browsing.GivePasswordsAsync(TestSystem);
        _host = await WorkAsync("email");
    }

    [OneTimeTearDown]
    public ValueTask StopStepAsync() => _host.DisposeAsync();

    [Test]
    public async Task An_order_is_cancelled()
    {
        var (order, number) = await OrderAsync();
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        await viewer.Page.GotoAsync($"/orders/{order}");
        await viewer.Page.GetByText("Cancel this order").ClickAsync();
        await viewer.Page.GetByPlaceholder("Who asked for it").FillAsync("the customer rang");
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = $"Cancel order {number}" }).ClickAsync();
        await SaysAsync(viewer.Page, "The order is cancelled.");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = $1 and cancelled_at is not null",
                order
            ),
            Is.EqualTo(1)
        );
        await RecordedAsync("cancel order", $"order {order}", "the customer rang");
    }

    [Test]
    public async Task An_uncertain_effect_that_happened_is_settled_on_the_page_of_all_of_them()
    {
        var (order, number) = await OrderAsync();
        await UncertainAsync(order, Guid.NewGuid());
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        var page = viewer.Page;
        await page.GotoAsync("/failures");
        await page.GetByRole(AriaRole.Link, new() { Name = "Uncertain effects" }).ClickAsync();
        var row = page.Locator("tbody tr").Filter(new() { HasText = number });
        await Assertions.Expect(row).ToContainTextAsync("mail-of-a-dead-run");
        await row.GetByText($"Settle email of {number}").ClickAsync();
        await Assertions
            .Expect(row)
            .ToContainTextAsync("the step counts as done, its failure is closed, nothing is sent");
        await row.GetByLabel("Reason").FillAsync("it stands in the mail server's log");
        await row.GetByRole(AriaRole.Button, new() { Name = "It happened: count email as done" }).ClickAsync();
        await SaysAsync(page, "email counts as done.");
        await Assertions.Expect(page.Locator("tbody tr").Filter(new() { HasText = number })).ToHaveCountAsync(0);
        Assert.That(await TestSystem.StatusAsync(order, "email"), Is.EqualTo(StepStatus.Done));
        Assert.That(await TestSystem.EffectsAsync(order), Is.EqualTo(1), "effects done");
        await RecordedAsync("settle-effect", $"email of {order}: it happened", "it stands in the mail server's log");
    }

    [Test]
    public async Task An_uncertain_effect_that_did_not_happen_leads_from_the_orders_page_to_the_dry_run_of_its_message()
    {
        var (order, _) = await OrderAsync();
        var message = Guid.NewGuid();
        await UncertainAsync(order, message);
        var failure = await DeadLetterAsync(order, message, "false");
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        await viewer.Page.GotoAsync($"/orders/{order}");
        await viewer.Page.GetByPlaceholder("What you looked at").FillAsync("it is not in the log");
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "It did not: let email run again" }).ClickAsync();
        await viewer.Page.WaitForURLAsync(new Regex($"/redrives/new\\?ids={failure}"));
        await Assertions.Expect(viewer.Page.Locator("h1")).ToHaveTextAsync("Redrive 1 message");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "effects where subject_id = $1 and state = $2",
                order,
                (short)EffectState.DidNotHappen
            ),
            Is.EqualTo(1)
        );
        await RecordedAsync("settle-effect", $"email of {order}: it did not happen", "it is not in the log");
        await RedriveAsync(viewer.Page, "Redrive 1 message");
        Assert.That(await TestSystem.EffectsAsync(order), Is.EqualTo(1), "effects done");
    }

    [Test]
    public async Task A_message_is_edited_and_sent()
    {
        var (order, _) = await OrderAsync();
        var failure = await DeadLetterAsync(order, Guid.NewGuid(), "\"no\"");
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        var page = viewer.Page;
        await page.GotoAsync($"/failures/{failure}");
        var payload = page.GetByLabel("Payload, as it will be sent");
        await payload.FillAsync((await payload.InputValueAsync()).Replace("\"no\"", "false", StringComparison.Ordinal));
        await page.GetByPlaceholder("Why it has to be changed").FillAsync("a flag, not a word");
        await page.GetByRole(AriaRole.Button, new() { Name = "See what it changes" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("\"path\": \"/premium\"");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send 1 changed message" }).ClickAsync();
        await UntilDoneAsync(page);
        Assert.That(await TestSystem.EffectsAsync(order), Is.EqualTo(1), "effects done");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "failures where id = $1 and state = $2 and edit @> '[{\"path\": \"/premium\", \"from\": \"no\", \"to\": false}]'",
                failure,
                (short)FailureState.Redriven
            ),
            Is.EqualTo(1)
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'anna' and action = 'edit and redrive' and reason like 'a flag, not a word (changed: %/premium%'"
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_group_is_patched_after_a_look_at_the_differences()
    {
        Guid[] orders = [(await OrderAsync()).Order, (await OrderAsync()).Order];
        var ids = string.Join(
            ',',
            await Task.WhenAll(orders.Select(o => DeadLetterAsync(o, Guid.NewGuid(), "\"no\"")))
        );
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        var page = viewer.Page;
        await page.GotoAsync($"/redrives/new?ids={ids}");
        await Assertions.Expect(page.GetByText("Do not fit").Locator("xpath=..")).ToContainTextAsync("2");
        await page.GetByText("Change the payloads before they are sent").ClickAsync();
        await page.Locator("textarea[name=patch]").FillAsync("""[{"op":"replace","path":"/premium","value":false}]""");
        await page.GetByRole(AriaRole.Button, new() { Name = "See what it would change" }).ClickAsync();
        await Assertions.Expect(page.GetByText("would change:")).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByText("Would be sent").Locator("xpath=..")).ToContainTextAsync("2");
        await RedriveAsync(page, "Redrive 2 messages");
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"effects where subject_id = any($1) and effect = 'email' and state = {EffectState.Done:D}",
                (object)orders
            ),
            Is.EqualTo(2),
            "mails"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "failures where subject_id = any($1) and state = $2 and edit is not null",
                orders,
                (short)FailureState.Redriven
            ),
            Is.EqualTo(2)
        );
    }

    [Test]
    public async Task A_message_is_archived_and_restored()
    {
        var failure = await DeadLetterAsync((await OrderAsync()).Order, Guid.NewGuid(), "\"no\"");
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        var page = viewer.Page;
        await page.GotoAsync($"/failures/{failure}");
        await page.GetByText("Archive this message").ClickAsync();
        await page.Locator("form[action='/failures/archive']").GetByLabel("Reason").FillAsync("a test of the client");
        await page.GetByRole(AriaRole.Button, new() { Name = "Archive 1 message" }).ClickAsync();
        await SaysAsync(page, "Archived 1 message");
        Assert.That(await StateAsync(failure), Is.EqualTo(FailureState.Archived));

        await page.GotoAsync($"/failures/{failure}");
        await page.Locator("form[action$='/restore']").GetByLabel("Reason").FillAsync("it was none");
        await page.GetByRole(AriaRole.Button, new() { Name = "Restore this message" }).ClickAsync();
        await SaysAsync(page, "Restored; it waits for an operator again.");
        Assert.That(await StateAsync(failure), Is.EqualTo(FailureState.Failed));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'otto' and (action, reason) in (('archive', 'a test of the client'), ('restore', 'it was none'))"
            ),
            Is.EqualTo(2)
        );
    }

    private static Task SaysAsync(IPage page, string done) =>
        Assertions.Expect(page.Locator(".bar[data-state=good]")).ToContainTextAsync(done);

    private static async Task RedriveAsync(IPage page, string button)
    {
        await page.GetByPlaceholder("What was fixed").FillAsync("it may go on");
        await page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
        await UntilDoneAsync(page);
    }

    private static async Task UntilDoneAsync(IPage page)
    {
        await page.WaitForURLAsync(new Regex("/redrives/[0-9a-f-]{36}$"));
        await Assertions.Expect(page.Locator("#redrive .pill")).ToHaveTextAsync("Done", Soon);
    }

    private async Task RecordedAsync(string action, string target, string reason) =>
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'otto' and action = $1 and target = $2 and reason = $3",
                action,
                target,
                reason
            ),
            Is.EqualTo(1),
            "records of it"
        );

    private async Task<FailureState> StateAsync(Guid failure) =>
        (FailureState)await TestSystem.Database.ScalarAsync<short>("select state from failures where id = $1", failure);

    private async Task<(Guid Order, string Number)> OrderAsync()
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        return (
            order,
            $"O-{await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", order):D8}"
        );
    }

    // As a run leaves it that finds the claim of a dead one.
    private async Task UncertainAsync(Guid order, Guid message) =>
        await TestSystem.Database.ExecuteAsync(
            """
            with effect as (insert into effects (subject_id, effect, message_id, step, state, reference)
                values ($1, 'email', $2, 'email', 3, 'mail-of-a-dead-run')),
            run as (insert into step_runs (subject_id, step, status, attempts, started_at)
                values ($1, 'email', 5, 1, now()))
            update order_progress set failed = failed | (select bit from step_catalogue where step = 'email')
                where order_id = $1
            """,
            order,
            message
        );

    private async Task<Guid> DeadLetterAsync(Guid order, Guid id, string premium)
    {
        var body = new JsonObject
        {
            ["messageId"] = id,
            ["correlationId"] = order,
            ["messageType"] = new JsonArray("urn:message:Orders.Contracts:OrderAccepted"),
            ["message"] = JsonNode.Parse(
                $$"""{"orderId":"{{order}}","premium":{{premium}},"acceptedAt":"2026-11-24T08:00:00Z"}"""
            ),
        };
        await TestSystem.Broker.PublishBytesAsync(
            "email_error",
            Encoding.UTF8.GetBytes(body.ToJsonString()),
            new ByHand { Id = id }
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where message_id = $1", id),
            Is.EqualTo(1),
            "failures of the message"
        );
        return await TestSystem.Database.ScalarAsync<Guid>("select id from failures where message_id = $1", id);
    }
}
