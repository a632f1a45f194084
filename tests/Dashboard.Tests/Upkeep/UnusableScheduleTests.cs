using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;
using Orders.Dashboard.Tests.Routes;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Dashboard.Tests.Upkeep;

/// <summary>
/// A schedule of an operator that cannot be used any more does not just stay silent: the overview says what to change,
/// an alert fires, and both are over with the cause.
/// </summary>
internal sealed class UnusableScheduleTests : BrowserFixture
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private string _name = "";

    [OneTimeSetUp]
    public async Task CreateAsync()
    {
        await TestSystem.Database.ExecuteAsync(
            "update alert_rules set hold = interval '0' where name = 'unusable-schedules'"
        );
        _name = await SampleSchedules.OfAsync(TestSystem.Database);
    }

    [SetUp]
    public async Task IsUsableAsync()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            update schedules set paused = false, cron = '0 7 * * 1-5', time_zone = 'Europe/Berlin', customised = true,
                next_due_at = now() + interval '1 day', payload = '{"below":20,"articles":"MUG-"}' where name = $1
            """,
            _name
        );
        await TestSystem.Database.ExecuteAsync("delete from schedule_runs");
        await DeployAsync(Workers.Schedules.Catalogue);
        await UntilAsync(null);
        await UntilAlertsAsync(0);
    }

    [Test]
    public async Task A_version_without_its_kind()
    {
        await DeployAsync(new ScheduleCatalogue());
        await UntilAsync(
            "This version has no kind of schedules 'stock-report'. Deploy a version that has it, or delete"
        );
        await UntilAlertsAsync(1);
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select says from alerts where rule = 'unusable-schedules' and resolved_at is null"
            ),
            Is.EqualTo($"Schedule {_name} does not fire. Deploy a version that has its kind, or delete it.")
        );
        await using var viewer = await OpenAsync("vera");
        await Assertions.Expect(viewer.Page.Locator("#attention")).ToContainTextAsync("Unusable");
        await viewer.Page.GotoAsync("/alerts");
        await Assertions
            .Expect(viewer.Page.Locator("main"))
            .ToContainTextAsync("a schedule that an operator has created or changed does not fire");
        Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);

        // Of a paused one nobody expects a firing.
        await TestSystem.Database.ExecuteAsync("update schedules set paused = true where name = $1", _name);
        await UntilAsync(null);
        await UntilAlertsAsync(0);
    }

    // Attack: the alert, which is kept and sent, quotes what a person wrote into the payload.
    [Test]
    public async Task A_payload_that_does_not_fit_is_named_on_the_overview_and_not_quoted_in_the_alert()
    {
        await UpdateAsync("payload = '{\"below\":\"Zoe Mueller\",\"articles\":\"MUG-\"}'");
        await DeployAsync(Workers.Schedules.Catalogue);
        await UntilAsync("payload.below");
        await UntilAlertsAsync(1);
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select says from alerts where rule = 'unusable-schedules' and resolved_at is null"
            ),
            Does.EndWith("does not fit this version: change it on its page.").And.Not.Contain("Mueller")
        );
    }

    [TestCase(
        "cron = '0 0 30 2 *', next_due_at = null",
        "has no next firing. Expected a cron text that fires some day"
    )]
    [TestCase(
        "time_zone = 'Mars/Olympus_Mons', next_due_at = now() - interval '10 minutes'",
        "UTC, and no worker has fired it. Expected a time zone such as UTC"
    )]
    [TestCase("next_due_at = now() - interval '10 minutes'", "Start a worker that fires schedules")]
    public async Task One_that_no_worker_fires(string change, string says)
    {
        await UpdateAsync(change);
        await UntilAsync(says);
        await UntilAlertsAsync(1);
        var view = (await GetAsync("/api/schedules", ViewerKey))
            .Body.AsArray()
            .Single(s => s!["name"]!.GetValue<string>() == _name)!;
        Assert.That(view["unusableBecause"]!.GetValue<string>(), Does.Contain(says));
    }

    [Test]
    public async Task A_firing_whose_message_no_worker_can_make()
    {
        await TestSystem.Database.ExecuteAsync(
            $"insert into schedule_runs (schedule, due_at, status, attempts) values ($1, now() - interval '6 minutes', {FiringStatus.Waiting:D}, 0)",
            _name
        );
        await UntilAsync("waits, and no worker can make the message. Finish the deployment, or change the payload");
        await UntilAlertsAsync(1);
    }

    [Test]
    public async Task One_that_is_due_is_not_unusable_before_a_worker_has_had_the_time_to_fire_it()
    {
        await UpdateAsync("next_due_at = now() - interval '10 seconds'");
        Assert.That(
            (await new ScheduleControl(TestSystem.Database.Source).FindAsync(_name, default))!.UnusableBecause,
            Is.Null
        );
    }

    private Task<int> UpdateAsync(string change) =>
        TestSystem.Database.ExecuteAsync($"update schedules set {change} where name = $1", _name);

    private Task DeployAsync(ScheduleCatalogue catalogue) =>
        new ScheduleDeployment(TestSystem.Database.Source, catalogue).DeployAsync(default);

    // Null: it is none of the items.
    private Task<bool> UntilAsync(string? says) =>
        Eventually.That(
            async () =>
                (await GetAsync("/api/attention", ViewerKey))
                    .Body.AsArray()
                    .Where(item => item!["what"]!.GetValue<string>() == _name)
                    .Select(item => (item!["word"]!.GetValue<string>(), item["sentence"]!.GetValue<string>()))
                    .SingleOrDefault()
                    is var (word, sentence)
                && (
                    says is null
                        ? word is null
                        : word == "Unusable" && sentence.Contains(says, StringComparison.Ordinal)
                ),
            Is.True,
            says ?? "no item",
            Patience
        );

    private Task<long> UntilAlertsAsync(int count) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'unusable-schedules' and subject = $1 and fired_at is not null and resolved_at is null",
                    _name
                ),
            Is.EqualTo((long)count),
            "alerts that fire",
            Patience
        );
}
