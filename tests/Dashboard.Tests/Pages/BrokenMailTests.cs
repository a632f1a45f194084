using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Infrastructure;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// The mail server refuses every mail. Somebody with nothing but the dashboard finds it, understands it and, when the
/// mail server is fixed, sends the messages again; the world's own ledgers tell the end.
/// </summary>
internal sealed class BrokenMailTests : ShopFixture
{
    private const int Count = 100;
    private static readonly LocatorAssertionsToContainTextOptions Soon = new() { Timeout = 60_000 };

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => Browsing.GivePasswordsAsync(TestSystem);

    [Test]
    public async Task Is_found_understood_and_redriven_with_the_dashboard_only_and_every_order_gets_one_mail()
    {
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        await using var host = await WorkAsync("*");
        await using var api = await ShopApi.StartAsync(TestSystem);
        string[] customers = [.. Enumerable.Range(0, Count).Select(n => $"customer{n}@example.com")];
        await Task.WhenAll(customers.Select(api.PostAsync));
        // Pages of failures show what the index has when they are opened.
        await UntilFailuresAsync(FailureState.Failed, Count, TimeSpan.FromMinutes(3));

        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        var page = viewer.Page;

        // Found: the first page says what is wrong, and how much of it.
        await Assertions
            .Expect(page.Locator("#attention"))
            .ToContainTextAsync($"{Count} messages could not be processed", Soon);
        await page.Locator("#attention").GetByRole(AriaRole.Link, new() { Name = "See the failures" }).ClickAsync();

        // Understood: one cause, a hundred orders, their worth; one of them in detail, and the order it belongs to.
        var groups = page.GetByRole(AriaRole.Region, new() { Name = "Groups" }).Locator("tbody tr");
        await Assertions.Expect(groups).ToHaveCountAsync(1);
        await Assertions.Expect(groups).ToContainTextAsync("PermanentFaultException");
        await groups.GetByRole(AriaRole.Link, new() { Name = "PermanentFaultException" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Orders held up").Locator("xpath=..")).ToContainTextAsync($"{Count}");
        await Assertions
            .Expect(page.GetByText("Worth", new() { Exact = true }).Locator("xpath=.."))
            .ToContainTextAsync("EUR");
        await page.GetByRole(AriaRole.Region, new() { Name = "Failures" }).Locator("tbody th a").First.ClickAsync();
        await Assertions.Expect(page.Locator(".says")).ToContainTextAsync("550");
        await page.Locator("dl.facts a").First.ClickAsync();
        await Assertions
            .Expect(page.Locator(".says"))
            .ToContainTextAsync("Failed. Step email failed 1 time and waits for an operator.");
        await page.GetByRole(AriaRole.Link, new() { Name = "See its failure" }).ClickAsync();
        await Assertions.Expect(page.Locator("h2").Filter(new() { HasText = "1 message" })).ToBeVisibleAsync();

        // Fixed: by those who run the mail server; the dashboard cannot do that for them.
        await BehaveAsync(new { smtp = new { mode = "ok" } });

        // Redriven: by keyboard to the page, from the group to the dry run, and a button that says how many.
        await GoToFailuresAsync(page);
        await page.GetByRole(AriaRole.Link, new() { Name = $"Redrive {Count}…" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync($"Redrive {Count} messages");
        await Assertions
            .Expect(page.Locator(".says[data-state=good]"))
            .ToContainTextAsync($"Ready. email gets {Count} messages");
        await page.GetByLabel("Reason").FillAsync("The mail server takes mails again.");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Redrive {Count} messages" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/redrives/[0-9a-f-]{36}$"));
        await Assertions.Expect(page.Locator("#redrive .pill")).ToHaveTextAsync("Done", new() { Timeout = 60_000 });
        await Assertions
            .Expect(page.Locator("#redrive .figures"))
            .ToContainTextAsync(
                new Regex($"Waiting\\s*0\\s*Sent\\s*0\\s*Done\\s*{Count}\\s*Failed again\\s*0\\s*Skipped\\s*0")
            );
        await UntilFailuresAsync(FailureState.Failed, 0);
        await page.GotoAsync("/failures");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("No failures: no message is dead-lettered.");
        await page.GotoAsync("/");
        await Assertions.Expect(page.Locator("#attention")).ToContainTextAsync("Nothing needs attention", Soon);

        // The ledgers: the mail server's own, and ours.
        Assert.That(await MailsAsync(), Is.EquivalentTo(customers.ToDictionary(c => c, _ => 1)), "mails by customer");
        Assert.That(
            await TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.Completed:D}"),
            Is.EqualTo(Count),
            "orders completed"
        );
        Assert.That(
            await TestSystem.Database.CountAsync($"effects where effect = 'email' and state = {EffectState.Done:D}"),
            Is.EqualTo(Count),
            "mails that we know of"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("failures where state = $1", (short)FailureState.Redriven),
            Is.EqualTo(Count),
            "failures that are closed"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'otto' and action = 'redrive' and count = $1 and reason = 'The mail server takes mails again.'",
                Count
            ),
            Is.EqualTo(1),
            "one record of it"
        );
    }

    // The two keys have to follow each other within 1.2 s, which a busy machine cannot promise from outside the
    // browser: as a person would, they are pressed again if nothing happened.
    // That they work at the first try is for AllPagesTests to say.
    private static Task GoToFailuresAsync(IPage page) =>
        Eventually.Is(
            async () =>
            {
                await page.WaitForLoadStateAsync(LoadState.DOMContentLoaded);
                await page.Keyboard.TypeAsync("gf");
                try
                {
                    await page.WaitForURLAsync("**/failures", new() { Timeout = 5_000 });
                    return true;
                }
                catch (TimeoutException)
                {
                    return false;
                }
            },
            "the keys g f lead to the failures",
            TimeSpan.FromSeconds(30)
        );
}
