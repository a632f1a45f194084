using System.Text.Json.Nodes;
using Orders.Testing;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Workers.Tests.Scheduling;

/// <summary>
/// The schedules as they are shipped, in a worker process that has the rights of its step and no more.
/// </summary>
public sealed class SchedulesTests : InstallationFixture
{
    private static readonly TimeSpan OncePerMinute = TimeSpan.FromMinutes(1);

    [OneTimeSetUp]
    public async Task Start()
    {
        await new ScheduleDeployment(TestSystem.Database.Source, Schedules.Catalogue).DeployAsync(
            CancellationToken.None
        );
        // Nothing by the clock: what runs here was asked for.
        await TestSystem.Database.ExecuteAsync("update schedules set paused = true");
        var configuration = TestSystem.Configuration(
            ("Schedules:PollInterval", "00:00:00.1"),
            ("Completeness:Deadline", OncePerMinute.ToString()),
            ("Email:LowStockBelow", "50")
        );
        await StartAsync(
            "email",
            null,
            services => services.AddSchedules(configuration, Schedules.Catalogue),
            ("Email:LowStockBelow", "50"),
            ("Email:ReportsTo", "buyer@shop.example")
        );
    }

    [Test]
    public async Task Every_job_may_do_what_it_does([ValueSource(nameof(Jobs))] string job)
    {
        await RunNowAsync(job);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("schedule_runs where schedule = $1 and status >= 2", job),
            Is.EqualTo(1),
            "firings that ended"
        );
        Assert.That(
            await TestSystem.Database.RowsAsync("select status from schedule_runs where schedule = $1", job),
            Is.EqualTo(new object[][] { [(short)FiringStatus.Done] }),
            await ResultAsync(job)
        );
    }

    [Test]
    public async Task The_report_on_low_stock_is_mailed_once_for_each_firing()
    {
        await TestSystem.Database.ExecuteAsync("update stock set on_hand = 7 where sku = 'MUG-BLUE'");
        await RunNowAsync("low-stock-report");
        await Eventually.That(() => World.Mails.Delivered.Count(IsReport), Is.EqualTo(1), "reports");
        var report = World.Mails.Delivered.Single(IsReport);
        Assert.That(report.To, Does.Contain("buyer@shop.example"));
        Assert.That(report.Text, Does.Contain("MUG-BLUE").And.Contain("7"));

        // The firing's message comes again, as after a crash of the relay: no second mail.
        var due = new DateTimeOffset(
            await TestSystem.Database.ScalarAsync<DateTime>(
                "select due_at from schedule_runs where schedule = 'low-stock-report'"
            )
        );
        var firing = new Firing("low-stock-report", due);
        await DeliverAsync("email", firing.Id, new Contracts.LowStockReportDue(firing.Id, due), firing.Id);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("duplicates where subject_id = $1", firing.Id),
            Is.EqualTo(1),
            "the copy is dropped"
        );
        Assert.That(World.Mails.Delivered.Count(IsReport), Is.EqualTo(1), "reports");
    }

    [Test]
    public async Task A_report_that_an_operator_has_scheduled_lists_the_articles_that_were_asked_for()
    {
        await TestSystem.Database.ExecuteAsync(
            "update stock set on_hand = 60 where sku in ('MUG-WHITE', 'MUG-ENAMEL')"
        );
        var (name, _) = await new ChangeableSchedules(TestSystem.Database.Source).CreateAsync(
            "stock-report",
            "mugs",
            new ScheduleDraft(
                "0 6 * * 1-5",
                "Europe/Berlin",
                Misfire.Once,
                new JsonObject { ["below"] = 65, ["articles"] = "MUG-W" }
            ),
            target => new AuditEntry
            {
                Who = "ada",
                Role = "Operator",
                Action = "create-schedule",
                Target = target,
            },
            CancellationToken.None
        );
        await RunNowAsync(name);
        await Eventually.That(() => World.Mails.Delivered.Count(IsOfMugs), Is.EqualTo(1), "reports");
        var report = World.Mails.Delivered.Single(IsOfMugs);
        Assert.That(report.Subject, Is.EqualTo("Stock report: 1 article(s) of MUG-W below 65 pieces"));
        Assert.That(report.Text, Does.Contain("MUG-WHITE").And.Not.Contain("MUG-ENAMEL"));
    }

    private static bool IsOfMugs(OutsideWorld.Mails.ReceivedMail mail) =>
        mail.Subject.Contains("of MUG-W", StringComparison.Ordinal);

    private static IEnumerable<string> Jobs =>
        Schedules.Catalogue.Schedules.Where(s => s.Job is not null).Select(s => s.Name);

    private static bool IsReport(OutsideWorld.Mails.ReceivedMail mail) =>
        mail.Subject.StartsWith("Stock report", StringComparison.Ordinal) && !IsOfMugs(mail);

    private Task<int> RunNowAsync(string schedule) =>
        TestSystem.Database.ExecuteAsync(
            "insert into schedule_runs (schedule, due_at, status, attempts, requested_by) values ($1, clock_timestamp(), 0, 0, 'ada')",
            schedule
        );

    private async Task<string> ResultAsync(string schedule) =>
        await TestSystem.Database.ScalarAsync<string>(
            "select coalesce((select result from schedule_runs where schedule = $1), '')",
            schedule
        );
}
