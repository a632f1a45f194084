using System.Text.RegularExpressions;
using Microsoft.Playwright;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// The failures as a person works through them: by cause, filtered from the table, one after the other, two beside each
/// other.
/// </summary>
internal sealed class FailureTableTests : BrowserFixture
{
    private static readonly LocatorAssertionsToBeVisibleOptions Soon = new() { Timeout = 15_000 };

    // What is not dead-lettered in the queues must stay in the list.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Index", "false"), ("Outbox:Relay", "false"), ("Redrive:Run", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 200);
        await SampleData.FailuresAsync(TestSystem.Database, 120);
    }

    [Test]
    public async Task Are_one_row_per_cause_until_somebody_asks_for_each()
    {
        await using var viewer = await OpenAsync("vera");
        var page = viewer.Page;
        await page.GotoAsync("/failures");
        await Assertions.Expect(Groups(page)).ToHaveCountAsync(4);
        await Assertions.Expect(List(page)).ToHaveCountAsync(0);
        await AxeFindsNothingAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = "show all messages one by one" }).ClickAsync();
        await Assertions.Expect(List(page)).ToHaveCountAsync(50);
        // And so it stays while the list goes on.
        await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("after="));
        await Assertions.Expect(List(page).First).ToBeVisibleAsync(Soon);
        await AxeFindsNothingAsync(page);
    }

    [Test]
    public async Task Are_filtered_by_the_values_that_the_table_shows()
    {
        var queue = await TestSystem.Database.ScalarAsync<string>("select queue from failures limit 1");
        await using var viewer = await OpenAsync("vera");
        var page = viewer.Page;
        await page.GotoAsync("/failures?each=true");
        foreach (
            var (value, field) in ((string, string)[])
                [
                    (queue, $"queue={queue}"),
                    ("OrderAccepted", "type=OrderAccepted"),
                    ("TimeoutException", "fault=TimeoutException"),
                    ("1.4.0", "build=1.4.0"),
                ]
        )
        {
            await List(page).GetByRole(AriaRole.Link, new() { Name = value, Exact = true }).First.ClickAsync();
            await page.WaitForURLAsync(new Regex(Regex.Escape(field)));
        }

        // All four hold, and each is said, and can be taken out.
        var chips = page.GetByRole(AriaRole.List, new() { Name = "The filter" }).GetByRole(AriaRole.Listitem);
        await Assertions.Expect(chips).ToHaveCountAsync(4);
        await Assertions
            .Expect(page)
            .ToHaveTitleAsync(new Regex("queue .*, fault TimeoutException, type OrderAccepted"));
        await Assertions.Expect(Groups(page)).ToHaveCountAsync(1);
        await AxeFindsNothingAsync(page);
        // A form that is sent again keeps what it has no field for.
        await page.GetByRole(AriaRole.Button, new() { Name = "Find failures" }).ClickAsync();
        await Assertions.Expect(chips).ToHaveCountAsync(4);
        await page.GetByRole(AriaRole.Link, new() { Name = "Take queue out of the filter" }).ClickAsync();
        await Assertions.Expect(chips).ToHaveCountAsync(3);

        await List(page).GetByRole(AriaRole.Link, new() { Name = "only", Exact = true }).First.ClickAsync();
        await page.WaitForURLAsync(new Regex("order=O-"));
        await Assertions.Expect(List(page)).ToHaveCountAsync(1);
        await page.GotoAsync("/failures?group=group1");
        await List(page).Locator("td a.by time").First.ClickAsync();
        await page.WaitForURLAsync(new Regex("from=.*to="));
        await Assertions.Expect(List(page).First).ToBeVisibleAsync(Soon);
        // The address is all there is to a saved filter: another operator sees the same.
        await using var other = await OpenAsync("otto");
        await other.Page.GotoAsync(page.Url);
        await Assertions.Expect(List(other.Page)).ToHaveCountAsync(await List(page).CountAsync());
    }

    [Test]
    public async Task Are_read_one_after_the_other_with_a_key()
    {
        var ids = await OfGroupAsync("group1");
        await using var viewer = await OpenAsync("vera");
        var page = viewer.Page;
        await page.GotoAsync($"/failures/{ids[0]}");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Previous similar" })).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("n");
        await page.WaitForURLAsync($"**/failures/{ids[1]}");
        await page.Keyboard.PressAsync("n");
        await page.WaitForURLAsync($"**/failures/{ids[2]}");
        await page.Keyboard.PressAsync("p");
        await page.WaitForURLAsync($"**/failures/{ids[1]}");
        await page.Keyboard.PressAsync("c");
        await page.WaitForURLAsync($"**/failures/compare?ids={ids[1]}%2C{ids[2]}");
        await page.GotoAsync($"/failures/{ids[^1]}");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Next similar" })).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("?");
        await Assertions.Expect(page.Locator("#keys")).ToContainTextAsync("next, previous similar failure");
    }

    [Test]
    public async Task Are_compared_two_at_a_time_and_what_is_masked_stays_masked()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            update failures set headers = jsonb_build_object('MT-Reason', 'fault', 'tries', left(fault_type, 6)),
                stack = stack || E'\n' || case when fault_type like 'System%' then 'Http.Get' else 'Database.Read' end
            """
        );
        await using var viewer = await OpenAsync("vera");
        var page = viewer.Page;
        await page.GotoAsync("/failures?each=true");
        var picks = page.Locator("[data-pick]");
        var compare = page.GetByRole(AriaRole.Button, new() { Name = "Compare 2 selected failures" });
        await picks.Nth(0).CheckAsync();
        await Assertions.Expect(compare).ToBeHiddenAsync();
        await picks.Nth(1).CheckAsync();
        await Assertions.Expect(compare).ToBeVisibleAsync();
        await compare.ClickAsync();
        await page.WaitForURLAsync("**/failures/compare?*");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Two failures");
        await Assertions.Expect(RowOf(page, "Fault", "Type")).ToContainTextAsync("differs");
        await Assertions.Expect(RowOf(page, "What is known", "Build")).ToContainTextAsync("same");
        await Assertions.Expect(RowOf(page, "Headers", "MT-Reason")).ToContainTextAsync("same");
        await Assertions.Expect(RowOf(page, "Headers", "tries")).ToContainTextAsync("differs");
        await Assertions.Expect(RowOf(page, "Stack", "1")).ToContainTextAsync("same");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Region, new() { Name = "Stack" }).Locator("[data-differs]"))
            .Not.ToHaveCountAsync(0);
        // The contract does not know the note: it is masked, and nobody learns that the two are equal.
        await Assertions.Expect(RowOf(page, "Payload", "note")).ToContainTextAsync("••••••");
        await Assertions.Expect(RowOf(page, "Payload", "note")).ToContainTextAsync("masked");
        await Assertions.Expect(RowOf(page, "Payload", "premium")).ToContainTextAsync("same");
        Assert.That(
            await page.EvaluateAsync<object?>("window.hostile"),
            Is.Null,
            "what a client wrote must stay a text"
        );
        await AxeFindsNothingAsync(page);
        await page.SetViewportSizeAsync(390, 844);
        Assert.That(
            await page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
            Is.LessThanOrEqualTo(390),
            "must not scroll sideways"
        );

        var one = (await OfGroupAsync("group1"))[0];
        foreach (
            var (query, status, says) in ((string, int, string)[])
                [
                    ("", 400, "Compare what?"),
                    ($"?ids={one}", 400, "Compare what?"),
                    ($"?ids={one},{Guid.Empty}", 400, "Compare what?"),
                    ($"?ids={one},00000000-0000-0000-0000-000000000001", 404, "No such failure"),
                ]
        )
        {
            var answer = await page.GotoAsync($"/failures/compare{query}");
            Assert.That(answer!.Status, Is.EqualTo(status), query);
            await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync(says);
        }
    }

    private static ILocator Groups(IPage page) =>
        page.GetByRole(AriaRole.Region, new() { Name = "Groups" }).Locator("tbody tr");

    private static ILocator List(IPage page) =>
        page.GetByRole(AriaRole.Region, new() { Name = "Failures", Exact = true }).Locator("tbody tr");

    private static ILocator RowOf(IPage page, string part, string name) =>
        page.GetByRole(AriaRole.Region, new() { Name = part, Exact = true })
            .GetByRole(AriaRole.Row)
            .Filter(new() { Has = page.GetByRole(AriaRole.Rowheader, new() { Name = name, Exact = true }) });

    private static async Task AxeFindsNothingAsync(IPage page) =>
        Assert.That(await Browsing.AxeAsync(page), Is.Empty, page.Url);

    // In the order of the list.
    private async Task<Guid[]> OfGroupAsync(string group) =>
        [
            .. (
                await TestSystem.Database.RowsAsync(
                    $"select id from failures where fingerprint = $1 and state = {FailureState.Failed:D} order by id desc",
                    group
                )
            ).Select(r => (Guid)r[0]!),
        ];
}
