using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Infrastructure.Intake;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// The pictures in <c>docs/images</c>, all of one shop at work: every order in them was posted and processed, and the
/// figures of one picture agree with those of the others. Only the history behind the charts is written by hand.
/// <c>./dev screenshots</c> runs it; without ORDERS_TEST_PICTURES, the folder, nothing is painted.
/// </summary>
internal sealed class ScreenshotTests : ShopFixture
{
    private const int Rounds = 5;
    private const int OrdersInARound = 60;
    private int _customers;

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => Browsing.GivePasswordsAsync(TestSystem);

    [Test]
    public async Task Are_taken_of_a_shop_whose_mail_server_refuses_some_mails()
    {
        if (Environment.GetEnvironmentVariable("ORDERS_TEST_PICTURES") is not { Length: > 0 } folder)
        {
            Assert.Ignore("ORDERS_TEST_PICTURES names no folder.");
            return;
        }

        await SampleData.HistoryAsync(TestSystem.Database);
        await TestSystem.Database.ExecuteAsync(
            "insert into step_builds (step, build, first_seen_at) select step, build, now() - ago from step_catalogue, (values ('1.3.0', interval '9 days'), ('1.4.0', interval '70 hours')) as b(build, ago)"
        );
        var refuseSome = new { mode = "reject", share = 0.1 };
        await BehaveAsync(new { smtp = refuseSome, warehouse = new { mode = "slow", delayMs = 150 } });
        await using var host = await WorkAsync("*");
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto", width: 1280);
        await using var night = await Browsing.OpenAsync(Dashboard.Address, "otto", ColorScheme.Dark, width: 1280);
        await using var phone = await Browsing.OpenAsync(Dashboard.Address, "otto", width: 390, height: 844);
        for (var round = 0; round < Rounds; round++)
            await PostAndPauseAsync(host, OrdersInARound, seconds: 3);
        await UntilSettledAsync();
        var order = await OrderThatIsTriedAgainAndRefusedAsync(host);
        await UntilSettledAsync();
        var failed = await TestSystem.Database.CountAsync($"failures where state = {FailureState.Failed:D}");
        var failure = await IdAsync("select id from failures where subject_id = $1", order);
        var group = (string)
            (await TestSystem.Database.RowsAsync("select fingerprint from failures where id = $1", failure))[0][0]!;

        // Nothing more fails: the numbers of failures are the same in every picture.
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        using (var closing = new CancellationTokenSource())
        {
            var customers = KeepPostingAsync(host, closing.Token);
            await PostAndPauseAsync(host, OrdersInARound, seconds: 1);
            await TakeAsync(viewer, "/", folder, "overview", failed);
            await TakeAsync(night, "/", folder, "overview-dark", failed);
            await TakeAsync(phone, "/", folder, "overview-phone", failed);
            await TakeAsync(viewer, $"/orders/{order}", folder, "order", failed);
            await TakeAsync(viewer, "/failures", folder, "failures", failed);
            await TakeAsync(viewer, $"/failures/{failure}", folder, "failure", failed);
            await TakeAsync(viewer, "/queues", folder, "queues", failed);
            await TakeAsync(viewer, "/flow", folder, "flow", failed);
            await TakeAsync(viewer, "/metrics-view?span=14d", folder, "metrics", failed);
            await TakeAsync(viewer, $"/redrives/new?group={group}", folder, "redrive-plan", failed);
            await closing.CancelAsync();
            await customers;
        }

        await viewer.Page.GetByLabel("Then, a second").FillAsync("5");
        await viewer.Page.GetByLabel("Reason").FillAsync("The mail server takes these addresses again.");
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Redrive" }).ClickAsync();
        await Assertions
            .Expect(viewer.Page.Locator("[aria-current=step]"))
            .ToContainTextAsync("Ramp", new() { Timeout = 30_000 });
        await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, "redrive.png") });

        // At work, with nothing that failed: a warehouse that takes its time, and a report that names what waits for it.
        await UntilSettledAsync();
        await BehaveAsync(new { smtp = new { mode = "ok" }, warehouse = new { mode = "slow", delayMs = 8000 } });
        await PostAsync(host, await CustomersAsync(20));
        await Eventually.That(
            () => TestSystem.Database.CountAsync("workers where jsonb_array_length(runs) > 3"),
            Is.Positive,
            "workers that report what they run"
        );
        await TakeAsync(viewer, "/workers", folder, "workers", 0);
        string[] effects =
        [
            .. (
                await TestSystem.Database.RowsAsync(
                    "select effect from effects where subject_id = $1 order by 1",
                    order
                )
            ).Select(r => (string)r[0]!),
        ];
        Assert.That(
            effects,
            Is.SupersetOf(["inventory", "invoice", "warehouse"]),
            "effects of the order in the picture"
        );
    }

    // First a mail server that asks to come again later, then one that does not know the mailbox.
    private async Task<Guid> OrderThatIsTriedAgainAndRefusedAsync(RunningHost host)
    {
        await BehaveAsync(new { smtp = new { mode = "tempfail" } });
        await PostAsync(host, await CustomersAsync(1));
        var order = await IdAsync("select id from orders order by number desc limit 1");
        await Eventually.That(
            () => TestSystem.Database.CountAsync("step_attempts where subject_id = $1", order),
            Is.Positive,
            "failed attempts"
        );
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where subject_id = $1", order),
            Is.EqualTo(1),
            "failures of the order"
        );
        return order;
    }

    // Each order has come to its end, and the index knows each dead letter.
    private async Task UntilSettledAsync() =>
        await Eventually.That(
            async () =>
                (
                    await TestSystem.Database.CountAsync("order_progress where completed_at is null and failed = 0"),
                    await TestSystem.Database.CountAsync("order_progress where failed <> 0")
                        - await TestSystem.Database.CountAsync($"failures where state = {FailureState.Failed:D}")
                ),
            Is.EqualTo((0L, 0L)),
            "orders under way, and dead letters that are not in the index",
            TimeSpan.FromMinutes(1)
        );

    private async Task KeepPostingAsync(RunningHost host, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
            await PostAndPauseAsync(host, 12, seconds: 1);
    }

    private async Task PostAndPauseAsync(RunningHost host, int count, int seconds)
    {
        var orders = await CustomersAsync(count);
        await PostAsync(host, orders);
        var last = orders[^1].CustomerEmail;
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"orders where customer_email = $1 and created_at > now() - interval '{seconds} seconds'",
                    last
                ),
            Is.Zero,
            "a pause"
        );
    }

    private async Task<NewOrder[]> CustomersAsync(int count) =>
        [
            .. (await OrdersAsync(count)).Select(o =>
                o with
                {
                    CustomerEmail = $"customer{Interlocked.Increment(ref _customers)}@example.com",
                }
            ),
        ];

    private async Task<Guid> IdAsync(string sql, params object[] arguments) =>
        (Guid)(await TestSystem.Database.RowsAsync(sql, arguments))[0][0]!;

    // The badge of the menu counts failures by what the broker has said last: it has to agree with the page.
    private static async Task TakeAsync(Viewer viewer, string path, string folder, string name, long failed)
    {
        await viewer.Page.GotoAsync(path);
        await Assertions.Expect(viewer.Page.Locator("#pulse")).ToHaveTextAsync("Live");
        await Assertions
            .Expect(viewer.Page.Locator("[href='/failures'] .badge"))
            .ToHaveTextAsync(failed == 0 ? new Regex("^0?$") : new Regex($"^{failed}$"), new() { Timeout = 30_000 });
        // What was read before the badge was right is read again.
        await viewer.Page.GotoAsync(path);
        await Assertions.Expect(viewer.Page.Locator("#pulse")).ToHaveTextAsync("Live");
        await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
    }
}
