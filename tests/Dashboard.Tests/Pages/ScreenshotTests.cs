using Microsoft.Playwright;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// The pictures in <c>docs/images</c>, of a shop at work. ORDERS_TEST_PICTURES names the folder; without it nothing is
/// painted.
/// </summary>
internal sealed class ScreenshotTests : ShopFixture
{
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

        await SampleData.OrdersAsync(TestSystem.Database, 400, said: "");
        await SampleData.HistoryAsync(TestSystem.Database);
        await TestSystem.Database.ExecuteAsync(
            "insert into step_builds (step, build, first_seen_at) select step, build, now() - ago from step_catalogue, (values ('1.3.0', interval '9 days'), ('1.4.0', interval '70 hours')) as b(build, ago)"
        );
        await BehaveAsync(
            new { smtp = new { mode = "reject", share = 0.2 }, warehouse = new { mode = "slow", delayMs = 150 } }
        );
        await using var host = await WorkAsync("*");
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto", width: 1280);
        for (var round = 0; round < 6; round++)
        {
            await PostAsync(
                host,
                (await OrdersAsync(120)).Select(o => o with { CustomerEmail = $"{round}{o.CustomerEmail}" })
            );
            await Eventually.That(
                () => TestSystem.Database.CountAsync("orders where created_at > now() - interval '3 seconds'"),
                Is.Zero,
                "a pause between rounds"
            );
        }

        var failure = (Guid)
            (await TestSystem.Database.RowsAsync("select id from failures where state = 1 order by id desc limit 1"))[
                0
            ][0]!;
        var group = (string)
            (
                await TestSystem.Database.RowsAsync(
                    "select fingerprint from failures where state = 1 order by id desc limit 1"
                )
            )[0][0]!;
        var order = (Guid)
            (
                await TestSystem.Database.RowsAsync(
                    "select order_id from order_progress where failed <> 0 and order_id in (select subject_id from step_attempts group by 1 having count(*) > 1) order by order_id desc limit 1"
                )
            )[0][0]!;
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        (string Path, string Name)[] pages =
        [
            ("/", "overview"),
            ("/orders", "orders"),
            ($"/orders/{order}", "order"),
            ("/failures", "failures"),
            ($"/failures/{failure}", "failure"),
            ($"/redrives/new?group={group}", "redrive-plan"),
            ("/redrives", "redrives"),
            ("/queues", "queues"),
            ("/queues/email", "queue"),
            ("/outbox", "outbox"),
            ("/schedules", "schedules"),
            ("/metrics-view?span=14d", "metrics"),
            ("/alerts", "alerts"),
            ("/audit", "audit"),
        ];
        foreach (var (path, name) in pages)
            await TakeAsync(viewer, path, folder, name);
        await viewer.Page.GotoAsync($"/redrives/new?group={group}");
        await viewer.Page.GetByLabel("Then, a second").FillAsync("8");
        await viewer.Page.GetByLabel("Reason").FillAsync("The mail server takes these addresses again.");
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Redrive" }).ClickAsync();
        await Assertions
            .Expect(viewer.Page.Locator("[aria-current=step]"))
            .ToContainTextAsync("Ramp", new() { Timeout = 30_000 });
        await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, "redrive.png") });

        // At work: a warehouse that takes its time, and a report that names what waits for it.
        await BehaveAsync(new { smtp = new { mode = "ok" }, warehouse = new { mode = "slow", delayMs = 4000 } });
        await PostAsync(host, (await OrdersAsync(20)).Select(o => o with { CustomerEmail = $"late{o.CustomerEmail}" }));
        await Eventually.That(
            () => TestSystem.Database.CountAsync("workers where jsonb_array_length(runs) > 3"),
            Is.Positive,
            "workers that report what they run"
        );
        await TakeAsync(viewer, "/workers", folder, "workers");

        await using var night = await Browsing.OpenAsync(Dashboard.Address, "otto", ColorScheme.Dark, width: 1280);
        await TakeAsync(night, "/", folder, "overview-dark");
        await TakeAsync(night, $"/orders/{order}", folder, "order-dark");
        await using var phone = await Browsing.OpenAsync(Dashboard.Address, "otto", width: 390, height: 844);
        await TakeAsync(phone, "/", folder, "overview-phone");
        await TakeAsync(phone, "/failures", folder, "failures-phone");
    }

    private static async Task TakeAsync(Viewer viewer, string path, string folder, string name)
    {
        await viewer.Page.GotoAsync(path);
        await Assertions.Expect(viewer.Page.Locator("#pulse")).ToHaveTextAsync("Live");
        await viewer.Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
    }
}
