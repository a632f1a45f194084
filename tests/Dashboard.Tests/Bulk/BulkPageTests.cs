using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;
using Orders.Infrastructure;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>
/// Bulk actions as a person does them: a filter, a button with a number, the rehearsal, a button with the exact number,
/// the progress.
/// </summary>
internal sealed class BulkPageTests : BrowserFixture
{
    private static readonly LocatorAssertionsToContainTextOptions Soon = new() { Timeout = 60_000 };

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Index", "false"), ("Outbox:Relay", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 200);
        await SampleData.FailuresAsync(TestSystem.Database, 120);
        await TestSystem.Database.ExecuteAsync("delete from redrive_items");
    }

    [Test, Order(1)]
    public async Task Orders_are_cancelled_from_the_filter_to_the_end_of_the_progress()
    {
        var open = await TestSystem.Database.ScalarAsync<long>(
            $"select count(*) from order_progress where status = {OrderStatus.Accepted:D}"
        );
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/orders");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Cancel") }))
            .ToHaveCountAsync(0);
        await page.GotoAsync($"/orders?status={OrderStatus.Accepted}");
        await AxeFindsNothingAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Cancel {open} orders…" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/bulk-actions/[0-9a-f-]{36}$"));
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync($"Cancel {open} orders");
        await Assertions.Expect(page.GetByText("nothing has been changed yet")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("an issued invoice gets a credit note")).ToBeVisibleAsync();
        await AxeFindsNothingAsync(page);
        await FitsAPhoneAsync(page);
        var confirm = page.GetByRole(AriaRole.Button, new() { Name = $"Cancel {open} orders", Exact = true });
        await page.GetByLabel("Reason").FillAsync("the supplier is bankrupt");
        await confirm.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Progress" })).ToBeVisibleAsync();
        // Refreshed by itself.
        await Assertions.Expect(page.Locator("#bulk")).ToContainTextAsync("Finished", Soon);
        await Assertions.Expect(page.Locator("#bulk dd").First).ToHaveTextAsync($"{open}");
        await AxeFindsNothingAsync(page);
        await FitsAPhoneAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "All bulk actions" }).ClickAsync();
        await Assertions.Expect(page.Locator("tbody tr").First).ToContainTextAsync($"Cancel {open} orders");
        await AxeFindsNothingAsync(page);
        Assert.That(
            await TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.Cancelled:D}"),
            Is.EqualTo(open)
        );
    }

    [Test, Order(2)]
    public async Task Failures_are_archived_from_the_filter()
    {
        var failed = await TestSystem.Database.ScalarAsync<long>(
            $"select count(*) from failures where fingerprint = 'group2' and state = {FailureState.Failed:D}"
        );
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/failures?group=group2");
        await AxeFindsNothingAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Archive {failed} failures…" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync($"Archive {failed} failures");
        await AxeFindsNothingAsync(page);
        await page.GetByLabel("Reason").FillAsync("nobody needs them");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Archive {failed} failures", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#bulk")).ToContainTextAsync("Finished", Soon);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where fingerprint = 'group2' and state = {FailureState.Failed:D}"
            ),
            Is.Zero
        );
    }

    [Test, Order(3)]
    public async Task A_step_is_replayed_from_the_filter_by_step_held_and_ended()
    {
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted']"
        );
        var step = Catalogue.Steps[0].Name;
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync($"/orders?step={step}&status={OrderStatus.NeedsAttention}");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new($"^Replay {step} for \\d+ orders…$") })
            .ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToContainTextAsync($"Replay {step} for ");
        await AxeFindsNothingAsync(page);
        await TestSystem.Database.ExecuteAsync(
            $"update bulk_actions set per_second = 1 where state = {BulkState.Rehearsed:D}"
        );
        await page.GetByLabel("Reason").FillAsync("its messages are gone");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new($"^Replay {step} for") }).ClickAsync();
        // On the next page: the one before has such a field too.
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Progress" })).ToBeVisibleAsync();
        await page.GetByLabel("Reason").FillAsync("a look");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause this bulk action" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Paused by otto: a look")).ToBeVisibleAsync();
        await AxeFindsNothingAsync(page);
        await page.GetByLabel("Reason").FillAsync("enough");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^End it and leave") }).ClickAsync();
        await Assertions.Expect(page.Locator("#bulk")).ToContainTextAsync("Ended by otto: enough", Soon);
        await AxeFindsNothingAsync(page);
    }

    [Test, Order(4)]
    public async Task A_viewer_sees_the_number_and_which_role_it_takes()
    {
        await using var viewer = await OpenAsync("vera");
        var page = viewer.Page;
        await page.GotoAsync($"/orders?status={OrderStatus.NeedsAttention}");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Cancel \\d+ orders…$") }))
            .ToBeDisabledAsync();
        await Assertions.Expect(page.GetByText("Needs the role operator.").First).ToBeVisibleAsync();
        await page.GotoAsync("/failures?group=group1");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Archive \\d+ failures…$") }))
            .ToBeDisabledAsync();
        await page.GotoAsync($"/bulk-actions/{Guid.NewGuid()}");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("No such bulk action");
    }

    [Test, Order(5)]
    public async Task A_text_that_begins_with_an_at_sign_is_a_filter_like_any_other()
    {
        await TestSystem.Database.ExecuteAsync(
            $"update failures set fault_message = '550 nobody@gmail.com is full' where fingerprint = 'group3' and state = {FailureState.Failed:D}"
        );
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/failures?text=%40gmail.com");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Archive \\d+ failures…$") }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(new Regex("^Archive \\d+ failures$"));
        await page.GetByLabel("Reason").FillAsync("nobody needs them");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Archive \\d+ failures$") }).ClickAsync();
        await Assertions.Expect(page.Locator("#bulk")).ToContainTextAsync("Finished", Soon);
    }

    private static async Task AxeFindsNothingAsync(IPage page) =>
        Assert.That(await Browsing.AxeAsync(page), Is.Empty, page.Url);

    private static async Task FitsAPhoneAsync(IPage page)
    {
        await page.SetViewportSizeAsync(390, 844);
        Assert.That(
            await page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
            Is.LessThanOrEqualTo(390),
            "must not scroll sideways"
        );
        await page.SetViewportSizeAsync(1440, 900);
    }
}
