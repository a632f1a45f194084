using Orders.Testing.Zoo;
using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Tests.Upkeep;

internal sealed class SchedulePageTests : DashboardFixture
{
    private const string Name = "tick";

    private static readonly ScheduleCatalogue Catalogue1 = new ScheduleCatalogue().Publish(
        Name,
        "0 5 * * *",
        Misfire.Once,
        firing => new Tick(firing.Id, firing.DueAt)
    );

    [OneTimeSetUp]
    public Task DeploySchedules() =>
        new ScheduleDeployment(TestSystem.Database.Source, Catalogue1).DeployAsync(CancellationToken.None);

    [Test]
    public async Task An_operator_runs_pauses_resumes_and_changes_a_schedule_and_each_is_in_the_record()
    {
        var run = await PostAsync($"/api/schedules/{Name}/run", OperatorsKey, new { reason = "to see it" });
        Assert.That(run.Status, Is.EqualTo(202), run.ToString());
        Assert.That(
            run.Body["summary"]!.GetValue<string>(),
            Is.EqualTo("tick is due now. No worker is running; the next one that starts runs it.")
        );
        Assert.That(
            (await GetAsync($"/api/schedules/{Name}/runs", ViewerKey)).Body[0]!["requestedBy"]!.GetValue<string>(),
            Is.EqualTo("otto")
        );

        Assert.That((await PostAsync($"/api/schedules/{Name}/pause", OperatorsKey)).Status, Is.EqualTo(204));
        Assert.That((await GetAsync("/api/schedules", ViewerKey)).Body[0]!["paused"]!.GetValue<bool>(), Is.True);
        Assert.That((await PostAsync($"/api/schedules/{Name}/resume", OperatorsKey)).Status, Is.EqualTo(204));
        var again = await PostAsync($"/api/schedules/{Name}/resume", OperatorsKey);
        Assert.That(
            (again.Code, again.Body["detail"]!.GetValue<string>()),
            Is.EqualTo(("schedule-state", "Schedule 'tick' is not paused."))
        );

        var change = new
        {
            cron = "0 6 * * *",
            timeZone = "Europe/Berlin",
            misfire = "Skip",
            reason = "after breakfast",
        };
        Assert.That(
            (await SendAsync(HttpMethod.Put, $"/api/schedules/{Name}", OperatorsKey, change)).Status,
            Is.EqualTo(204)
        );
        var now = (await GetAsync("/api/schedules", ViewerKey)).Body[0]!;
        Assert.That(
            (now["cron"]!.GetValue<string>(), now["timeZone"]!.GetValue<string>(), now["misfire"]!.GetValue<string>()),
            Is.EqualTo(("0 6 * * *", "Europe/Berlin", "Skip"))
        );

        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, action, target, reason from audit where target like 'schedule %' order by id"
            ),
            Is.EqualTo(
                new object?[][]
                {
                    ["otto", "run-schedule", "schedule tick", "to see it"],
                    ["otto", "pause-schedule", "schedule tick", null],
                    ["otto", "resume-schedule", "schedule tick", null],
                    ["otto", "change-schedule", "schedule tick: 0 6 * * *, Europe/Berlin, Skip", "after breakfast"],
                }
            )
        );
    }

    [Test]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        Assert.That((await PostAsync("/api/schedules/nothing/run", OperatorsKey)).Code, Is.EqualTo("not-found"));
        Assert.That(
            (await PostAsync("/api/schedules/tikc/pause", OperatorsKey)).Body["detail"]!.GetValue<string>(),
            Is.EqualTo("There is no schedule 'tikc', did you mean 'tick'? GET /api/schedules lists them.")
        );
        Assert.That((await PostAsync($"/api/schedules/{Name}/run", ViewerKey)).Code, Is.EqualTo("missing-role"));
        var unusable = await SendAsync(
            HttpMethod.Put,
            $"/api/schedules/{Name}",
            OperatorsKey,
            new
            {
                cron = "every day",
                timeZone = "UTC",
                misfire = "Once",
            }
        );
        Assert.That((unusable.Status, unusable.Code), Is.EqualTo((422, "unusable-schedule")), unusable.ToString());
        Assert.That((await GetAsync($"/api/schedules/{Name}/runs?limit=0", ViewerKey)).Status, Is.EqualTo(400));
    }
}
