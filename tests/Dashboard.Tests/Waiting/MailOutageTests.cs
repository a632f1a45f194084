using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;
using Orders.Infrastructure;
using QueueWorkers.Clocks;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.History;

namespace Orders.Dashboard.Tests.Waiting;

/// <summary>
/// The mail server takes no mail for a while, and no new orders come: nothing is in a queue, nothing is failed, and all
/// is far from well. The overview, the step's page, the operator API and an alert say what waits, why, and when it ends.
/// </summary>
internal sealed class MailOutageTests : ShopFixture
{
    private const int Count = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private static readonly LocatorAssertionsToContainTextOptions Soon = new() { Timeout = 120_000 };

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [.. base.Settings, ("Live:WaitingAge", "00:00:05")];

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => Browsing.GivePasswordsAsync(TestSystem);

    [OneTimeSetUp]
    public Task HurryAlertsAsync() =>
        TestSystem.Database.ExecuteAsync(
            "update alert_rules set threshold = 5, hold = interval '1 second' where name = 'waiting-retries'"
        );

    [Test]
    public async Task Says_what_waits_why_and_when_it_ends_and_afterwards_that_all_is_well()
    {
        await BehaveAsync(new { smtp = new { mode = "tempfail" } });
        await using var host = await WorkAsync("*");
        var orders = await OrdersAsync(Count);
        await PostAsync(host, orders);

        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "vera");
        var page = viewer.Page;
        var attention = page.Locator("#attention");
        await Assertions
            .Expect(attention)
            .ToContainTextAsync(
                new Regex(
                    @"email — [0-9]+ messages? waits? for (?:its|their) next attempt since .+ \(.+\); last fault: .*(451|for now).*Forecast: .+\."
                ),
                Soon
            );
        await Assertions.Expect(attention).Not.ToContainTextAsync(new Regex(@"\.\.|waits and use "));
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);
        // From now on, until the mail server is there again, no look of the page may say that all is well.
        await page.EvaluateAsync(
            """
            window.wells = 0;
            new MutationObserver(() => { if (document.querySelector('#attention')?.textContent.includes('All well')) window.wells++; })
                .observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true })
            """
        );
        await SaysTheSameAsync();
        await AlertFiresAsync();
        await QueuePageSaysWhyAsync();
        Assert.That(await page.EvaluateAsync<int>("window.wells"), Is.Zero, "how often the overview said 'All well'");

        await BehaveAsync(new { smtp = new { mode = "ok" } });
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.Completed:D}"),
            Is.EqualTo(Count),
            "orders completed",
            Patience
        );
        await Assertions.Expect(attention).ToContainTextAsync("Nothing needs attention", Soon);
        Assert.That(
            await MailsAsync(),
            Is.EquivalentTo(orders.ToDictionary(o => o.CustomerEmail, _ => 1)),
            "mails by customer"
        );
        await page.GotoAsync("/queues/email");
        await Assertions
            .Expect(page.Locator("#waiting"))
            .ToContainTextAsync("No message waits for its next attempt, and none is deferred.", Soon);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'waiting-retries' and subject = 'email' and resolved_at is not null"
                ),
            Is.EqualTo(1L),
            "the alert is over",
            Patience
        );
        await RunTimeIsRunTimeAsync();
    }

    private async Task SaysTheSameAsync()
    {
        // None waits while all of them are tried at once, for a moment.
        var email = await Eventually.That(
            async () =>
                (await GetAsync("/api/queues", ViewerKey))
                    .Body.AsArray()
                    .Single(s => s!["step"]!.GetValue<string>() == "email")!,
            new NUnit.Framework.Constraints.PredicateConstraint<JsonNode>(s =>
                s["waitingForRetry"]!.GetValue<long>() + s["deferred"]!.GetValue<long>() > 0
            ),
            "a step whose messages wait",
            Patience
        );
        Assert.That(
            email["waiting"]!.AsArray().Select(w => w!["name"]!.GetValue<string>()),
            Is.SubsetOf(new[] { "redelivery", "breaker", "retry-budget" }),
            email.ToJsonString()
        );
        Assert.That(email["forecast"]!.GetValue<string>(), Is.Not.Empty, email.ToJsonString());
        var items = (await GetAsync("/api/attention", ViewerKey)).Body.AsArray();
        // While the breaker is open nothing waits for a retry, and all are deferred.
        Assert.That(
            items
                .Where(i => i!["what"]!.GetValue<string>() == "email")
                .Select(i => i!["word"]!.GetValue<string>())
                .Intersect(["Waits for retry", "Deferred", "Retrying"]),
            Is.Not.Empty,
            items.ToJsonString()
        );
        await Eventually.That(
            () => Dashboard.Services.GetRequiredService<WaitingMetrics>().Now,
            Has.Some.Matches<WaitingMessages>(w => w is { Step: "email", Count: > 0, Since: not null }),
            "what the metrics show",
            Patience
        );
    }

    private async Task AlertFiresAsync()
    {
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'waiting-retries' and subject = 'email' and fired_at is not null"
                ),
            Is.EqualTo(1L),
            "the alert fires",
            Patience
        );
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "vera");
        await viewer.Page.GotoAsync("/alerts");
        await Assertions
            .Expect(viewer.Page.GetByRole(AriaRole.Region, new() { Name = "Alerts" }))
            .ToContainTextAsync(
                new Regex(
                    @"[0-9]+ messages? of step email waits? for (its|their) next attempt, the oldest for more than 5\.0 s \(.+\)\. Forecast: .+\."
                )
            );
    }

    // In both themes, and on a phone.
    private async Task QueuePageSaysWhyAsync()
    {
        foreach (var (scheme, width) in ((ColorScheme, int)[])[(ColorScheme.Light, 1440), (ColorScheme.Dark, 390)])
        {
            await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "vera", scheme, width, height: 844);
            var page = viewer.Page;
            await page.GotoAsync("/queues/email");
            await Assertions
                .Expect(page.Locator("#waiting tbody"))
                .ToContainTextAsync(new Regex("Waiting for retry|Deferred: breaker"), Soon);
            await Assertions.Expect(page.Locator("#waiting")).ToContainTextAsync(new Regex(@"Forecast: .+\."), Soon);
            await Assertions.Expect(page.Locator("#waiting tbody")).ToContainTextAsync("451", Soon);
            // Its workers take nothing while the breaker is open; none of them is missing.
            await Assertions
                .Expect(page.Locator("main"))
                .Not.ToContainTextAsync("No worker of this step is connected", new() { Timeout = 60_000 });
            Assert.That(await Browsing.AxeAsync(page), Is.Empty);
            Assert.That(
                await page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
                Is.LessThanOrEqualTo(width),
                "no sideways scrolling"
            );
        }
    }

    private async Task RunTimeIsRunTimeAsync()
    {
        Assert.That(
            await TestSystem.Database.CountAsync(
                "step_runs where step = 'email' and finished_at > queued_at and attempt_started_at > queued_at"
            ),
            Is.EqualTo(Count),
            "mails with all their times"
        );
        var now = DatabaseClock.UtcNow;
        var email = (await new StepFiguresReader(TestSystem.Database.Source).ReadAsync(now.AddHours(-1), now, default))[
            "email"
        ];
        // Each mail waited for longer than it took until the item was shown; half of the attempts took no such time.
        Assert.That(email.Total.P50, Is.GreaterThan(TimeSpan.FromSeconds(5)), "time to done");
        Assert.That(email.Run.P50, Is.LessThan(email.Total.P50!.Value), "run time of one attempt");
        Assert.That(email.Queue.P50, Is.LessThan(email.Total.P50!.Value), "time in queue");

        await Dashboard.Services.GetRequiredService<HistoryKeeper>().KeepAsync(now.AddMinutes(3), default);
        var hour = HistoryReader.Sum(
            await new HistoryReader(TestSystem.Database.Source).ReadAsync(
                TimeSpan.FromHours(1),
                "email",
                now.AddMinutes(3),
                default
            ),
            "email"
        );
        Assert.That(
            (hour.Done, hour.Total.Sum(), hour.Queue.Sum(), hour.Run.Sum()),
            Is.EqualTo(((long)Count, Count, Count, Count + (int)hour.Failed)),
            "each mail has a time in queue and a time to done, each attempt a run time"
        );
        Assert.That(
            DurationSlots.Percentile(hour.Run, 0.5),
            Is.LessThan(DurationSlots.Percentile(hour.Total, 0.5)!.Value),
            "the history keeps them apart"
        );
    }
}
