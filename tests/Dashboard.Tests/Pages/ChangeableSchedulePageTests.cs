using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Orders.Testing.Zoo;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// A person creates, changes and deletes schedules on the pages: what does not fit, two at a time, a kind that is gone.
/// </summary>
internal sealed class ChangeableSchedulePageTests : BrowserFixture
{
    private const string Create = "Create beat schedule";
    private const string Look = "Show the next firings";

    private static readonly ScheduleCatalogue Schedules = new ScheduleCatalogue()
        .Publish("tick", "0 5 * * *", Misfire.Once, firing => new Tick(firing.Id, firing.DueAt))
        .Changeable(
            "beat",
            "Ticks with a pitch.",
            [
                ScheduleField.Number("pitch", "Pitch", 1, 100),
                ScheduleField.Text("words", "Words", 20, example: "ding", required: false),
                ScheduleField.Choice("tone", "Tone", "major", "minor"),
                ScheduleField.Flag("loud", "Loud"),
            ],
            (firing, payload) => new Tick(firing.Id, firing.DueAt, payload.Number("pitch"))
        );

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Failures:Index", "false"), ("Redrive:Run", "false")];

    [SetUp]
    public async Task DeploySchedules()
    {
        await TestSystem.Database.ExecuteAsync("delete from schedule_runs; delete from schedules");
        await DeployAsync(Schedules);
    }

    [Test]
    public async Task A_schedule_is_looked_at_created_changed_and_deleted()
    {
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/schedules");
        await page.GetByRole(AriaRole.Link, new() { Name = "New beat" }).ClickAsync();
        await FillAsync(page, "30 2 * * *", "Europe/Berlin", "7");
        await page.GetByLabel("Name, behind beat.").FillAsync("night");
        await page.GetByLabel("Tone").SelectOptionAsync("minor");
        await page.GetByLabel("Loud").CheckAsync();
        await PressAsync(page, Look);
        await Assertions
            .Expect(page.GetByRole(AriaRole.Region, new() { Name = "Next firings" }).Locator("tbody tr"))
            .ToHaveCountAsync(10);
        await Assertions
            .Expect(page.Locator("tbody th").First)
            .ToContainTextAsync(new Regex("0[23]:[03]0:00 \\+0[12]:00"));
        Assert.That(await TestSystem.Database.CountAsync("schedules where kind = 'beat'"), Is.Zero, "only looked at");
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);

        await page.GetByLabel("Reason").FillAsync("the season begins");
        await PressAsync(page, Create);
        await SaysAsync(page, "beat.night is created.");
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/schedules/beat\\.night"));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select payload::text from schedules where name = 'beat.night'"
            ),
            Is.EqualTo("""{"loud": true, "tone": "minor", "pitch": 7}""")
        );
        await Assertions.Expect(page.Locator("dl.facts")).ToContainTextAsync("Europe/Berlin");
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);

        await page.GetByText("Change or delete beat.night").ClickAsync();
        var change = page.Locator("form[action$='/change']");
        await Assertions.Expect(change.GetByLabel("Tone")).ToHaveValueAsync("minor");
        await Assertions.Expect(change.GetByLabel("Loud")).ToBeCheckedAsync();
        await change.GetByLabel("Pitch").FillAsync("8");
        await change.GetByLabel("Loud").UncheckAsync();
        await change.GetByLabel("Reason").FillAsync("higher");
        await PressAsync(page, "Change beat.night");
        await SaysAsync(page, "beat.night is changed.");
        await Assertions.Expect(page.Locator("dl.facts")).ToContainTextAsync("8");

        await page.GetByText("Change or delete beat.night").ClickAsync();
        var delete = page.Locator("form[action$='/delete']");
        await delete.GetByLabel("Reason").FillAsync("over");
        await PressAsync(page, "Delete beat.night");
        await SaysAsync(page, "beat.night is deleted.");
        Assert.That(await TestSystem.Database.CountAsync("schedules where kind = 'beat'"), Is.Zero);
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select action, reason from audit where who = 'otto' and target like 'schedule beat.night%' order by id"
            ),
            Is.EqualTo(
                new object[][]
                {
                    ["create-schedule", "the season begins"],
                    ["change-schedule", "higher"],
                    ["delete-schedule", "over"],
                }
            )
        );
    }

    [Test]
    public async Task What_does_not_fit_is_named_and_what_was_typed_stays()
    {
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/schedules/new?kind=beat");
        await FillAsync(page, "61 * * * *", "Europe/Berln", "700");
        await page.GetByLabel("Name, behind beat.").FillAsync("odd");
        await page.GetByLabel("Reason").FillAsync("a try");
        await PressAsync(page, Create);
        var says = page.Locator(".says[role=alert]");
        await Assertions.Expect(says).ToContainTextAsync("Expected a cron text of five fields");
        await Assertions.Expect(says).ToContainTextAsync("did you mean 'Europe/Berlin'?");
        await Assertions.Expect(says).ToContainTextAsync("Expected a whole number 1–100, found '700'.");
        await Assertions.Expect(page.GetByLabel("Cron text")).ToHaveValueAsync("61 * * * *");
        await Assertions.Expect(page.GetByLabel("Reason")).ToHaveValueAsync("a try");
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);
        Assert.That(await TestSystem.Database.CountAsync("schedules where kind = 'beat'"), Is.Zero);

        await FillAsync(page, "0 6 * * *", "UTC", "7");
        await page.GetByLabel("Words").FillAsync("ask zoe@example.com");
        await PressAsync(page, Create);
        await Assertions.Expect(says).ToContainTextAsync("Expected no personal data");
        await page.GetByLabel("Words").FillAsync("ding");
        await PressAsync(page, Create);
        await SaysAsync(page, "beat.odd is created.");
    }

    [Test]
    public async Task Of_two_who_change_it_at_a_time_the_second_is_told_and_overwrites_nothing()
    {
        await CreateAsync("shared");
        await using var first = await OpenAsync("otto");
        await using var second = await OpenAsync("anna");
        foreach (var page in (IPage[])[first.Page, second.Page])
        {
            await page.GotoAsync("/schedules/beat.shared");
            await page.GetByText("Change or delete beat.shared").ClickAsync();
        }

        foreach (var (page, pitch) in ((IPage, string)[])[(first.Page, "20"), (second.Page, "30")])
        {
            var change = page.Locator("form[action$='/change']");
            await change.GetByLabel("Pitch").FillAsync(pitch);
            await change.GetByLabel("Reason").FillAsync("at a time");
            await PressAsync(page, "Change beat.shared");
        }

        await Assertions
            .Expect(second.Page.Locator(".says[role=alert]"))
            .ToContainTextAsync("Somebody has changed 'beat.shared' since you read it");
        await Assertions.Expect(second.Page.GetByLabel("Pitch")).ToHaveValueAsync("30");
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select (payload->>'pitch')::int from schedules where name = 'beat.shared'"
            ),
            Is.EqualTo(20)
        );
        Assert.That(await Browsing.AxeAsync(second.Page), Is.Empty);
        await second.Page.GetByRole(AriaRole.Link, new() { Name = "Read it again" }).ClickAsync();
        await second.Page.GetByText("Change or delete beat.shared").ClickAsync();
        await Assertions.Expect(second.Page.GetByLabel("Pitch")).ToHaveValueAsync("20");
    }

    [Test]
    public async Task A_kind_that_is_gone_is_shown_with_the_reason_and_its_schedule_can_be_deleted()
    {
        await CreateAsync("left");
        await DeployAsync(new ScheduleCatalogue());
        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/schedules");
        await Assertions
            .Expect(page.Locator("tbody tr").Filter(new() { HasText = "beat.left" }))
            .ToContainTextAsync("This version has no kind of schedules 'beat'.");
        await page.GetByRole(AriaRole.Link, new() { Name = "beat.left" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Unusable");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("None while it cannot fire.");
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);
        await page.GetByLabel("Reason").FillAsync("not needed");
        await PressAsync(page, "Delete beat.left");
        await SaysAsync(page, "beat.left is deleted.");
    }

    [Test]
    public async Task A_viewer_sees_all_of_it_and_may_change_nothing()
    {
        await CreateAsync("seen");
        await using var viewer = await OpenAsync("vera", width: 390, height: 844);
        var page = viewer.Page;
        foreach (
            var path in (string[])["/schedules", "/schedules/beat.seen", "/schedules/tick", "/schedules/new?kind=beat"]
        )
        {
            await page.GotoAsync(path);
            Assert.That(
                await page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
                Is.LessThanOrEqualTo(390),
                $"{path} must not scroll sideways"
            );
            Assert.That(await Browsing.AxeAsync(page), Is.Empty, path);
        }

        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = Create })).ToBeDisabledAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Needs the role operator.");
        await page.GotoAsync("/schedules/nothing");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("No such schedule");
        await page.GotoAsync("/schedules/new?kind=nothing");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("No such kind of schedules");
    }

    private static async Task FillAsync(IPage page, string cron, string zone, string pitch)
    {
        await page.GetByLabel("Cron text").FillAsync(cron);
        await page.GetByLabel("Time zone").FillAsync(zone);
        await page.GetByLabel("Pitch").FillAsync(pitch);
    }

    private static Task PressAsync(IPage page, string button) =>
        page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();

    private static Task SaysAsync(IPage page, string done) =>
        Assertions.Expect(page.Locator(".bar[data-state=good]")).ToContainTextAsync(done);

    private Task DeployAsync(ScheduleCatalogue catalogue) =>
        new ScheduleDeployment(TestSystem.Database.Source, catalogue).DeployAsync(CancellationToken.None);

    private Task<(string Name, Guid Revision)> CreateAsync(string name) =>
        new ChangeableSchedules(TestSystem.Database.Source).CreateAsync(
            "beat",
            name,
            new ScheduleDraft("0 6 * * *", "Europe/Berlin", Misfire.Once, new() { ["pitch"] = 7, ["tone"] = "major" }),
            target => new QueueWorkers.Operators.AuditEntry
            {
                Who = "ada",
                Role = "Operator",
                Action = "create-schedule",
                Target = target,
            },
            CancellationToken.None
        );
}
