using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Orders.Testing.Zoo;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Tests.Upkeep;

/// <summary>Schedules that are created, changed and deleted by the operator API and by <c>./dev schedules</c>.</summary>
internal sealed class ChangeableScheduleApiTests : DashboardFixture
{
    private static readonly ScheduleCatalogue Schedules = new ScheduleCatalogue()
        .Publish("tick", "0 5 * * *", Misfire.Once, firing => new Tick(firing.Id, firing.DueAt))
        .Changeable(
            "beat",
            "Ticks with a pitch.",
            [ScheduleField.Number("pitch", "Pitch", 1, 100), ScheduleField.Text("words", "Words", 20, required: false)],
            (firing, payload) => new Tick(firing.Id, firing.DueAt, payload.Number("pitch"))
        );

    private readonly HttpClient _http = new();

    [OneTimeSetUp]
    public Task DeploySchedules() => DeployAsync(Schedules);

    [OneTimeTearDown]
    public void CloseHttp() => _http.Dispose();

    [Test]
    public async Task A_schedule_is_created_changed_and_deleted_and_each_is_in_the_record()
    {
        var created = await CreateAsync(
            "first",
            new
            {
                cron = "0 6 * * 1-5",
                timeZone = "Europe/Berlin",
                payload = new { pitch = 7, words = "low" },
                reason = "the season begins",
            }
        );
        Assert.That(created.Status, Is.EqualTo(201), created.Text);
        var read = await GetAsync("/api/schedules/beat.first", ViewerKey);
        var schedule = read.Body["schedule"]!;
        Assert.That(
            (schedule["kind"]!.GetValue<string>(), schedule["misfire"]!.GetValue<string>()),
            Is.EqualTo(("beat", "Once"))
        );
        Assert.That(schedule["payload"]!.ToJsonString(), Is.EqualTo("""{"pitch":7,"words":"low"}"""));
        var next = read.Body["next"]!.AsArray();
        Assert.That(next, Has.Count.EqualTo(10));
        Assert.That(next[0]!["at"]!.GetValue<string>(), Does.Contain("T06:00:00+0"));

        var (status, text, tag) = await PatchAsync(
            "first",
            created.Tag,
            new
            {
                cron = "0 7 * * *",
                payload = new { pitch = "8", words = (string?)null },
                reason = "later",
            }
        );
        Assert.That(status, Is.EqualTo(200), text);
        schedule = (await GetAsync("/api/schedules/beat.first", ViewerKey)).Body["schedule"]!;
        Assert.That(
            (schedule["cron"]!.GetValue<string>(), schedule["timeZone"]!.GetValue<string>()),
            Is.EqualTo(("0 7 * * *", "Europe/Berlin")),
            "what is left out stays"
        );
        Assert.That(schedule["payload"]!.ToJsonString(), Is.EqualTo("""{"pitch":8}"""));

        Assert.That((await DeleteAsync("first", created.Tag)).Status, Is.EqualTo(412), "the revision of before");
        Assert.That((await DeleteAsync("first", tag)).Status, Is.EqualTo(204));
        Assert.That((await GetAsync("/api/schedules/beat.first", ViewerKey)).Status, Is.EqualTo(404));
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, action, target, reason from audit where target like 'schedule beat.first%' order by id"
            ),
            Is.EqualTo(
                new object?[][]
                {
                    [
                        "otto",
                        "create-schedule",
                        "schedule beat.first: 0 6 * * 1-5, Europe/Berlin, Once; payload: pitch, words",
                        "the season begins",
                    ],
                    [
                        "otto",
                        "change-schedule",
                        "schedule beat.first: 0 7 * * *, Europe/Berlin, Once; payload: pitch",
                        "later",
                    ],
                    ["otto", "delete-schedule", "schedule beat.first", null],
                }
            )
        );
    }

    [Test]
    public async Task What_does_not_fit_is_400_with_every_problem_and_leaves_nothing()
    {
        var refused = await CreateAsync(
            "Second!",
            new
            {
                cron = "61 * * * *",
                timeZone = "Europe/Berln",
                misfire = "Once",
                payload = new { words = "ask zoe@example.com", colour = "red" },
            }
        );
        Assert.That(refused.Status, Is.EqualTo(400), refused.Text);
        var answer = new Answer(refused.Status, "application/problem+json", refused.Text);
        Assert.That(answer.Code, Is.EqualTo("invalid-schedule"));
        Assert.That(
            answer.Body["errors"]!.AsArray().Select(e => e!["field"]!.GetValue<string>()),
            Is.EquivalentTo(["name", "cron", "timeZone", "payload.pitch", "payload.words", "payload"])
        );
        Assert.That(refused.Text, Does.Contain("did you mean").And.Not.Contain("zoe@"));
        var detail = answer.Body["detail"]!.GetValue<string>();
        Assert.That(detail, Does.Contain("payload.pitch: Expected a whole number 1–100, found nothing."));
        Assert.That(detail, Does.Contain("cron: Expected a cron text of five fields"));
        Assert.That(await TestSystem.Database.CountAsync("schedules where name like 'beat.s%'"), Is.Zero);

        var often = await CreateAsync("often", new { cron = "* * * * * *", payload = new { pitch = 1 } });
        Assert.That(often.Status, Is.EqualTo(400), "a second is shorter than the kind's minute");
        Assert.That(often.Text, Does.Contain("Expected at least 00:01:00 between two firings, found 00:00:01"));
        Assert.That(
            (
                await PostAsync(
                    "/api/schedules",
                    OperatorsKey,
                    new
                    {
                        kind = "beet",
                        name = "a",
                        cron = "@daily",
                    }
                )
            ).Text,
            Does.Contain("Expected a kind of schedules of this version (beat), found 'beet'.")
        );
    }

    [Test]
    public async Task Roles_names_and_preconditions_are_asked_for()
    {
        var body = new
        {
            kind = "beat",
            name = "mine",
            cron = "@daily",
            payload = new { pitch = 1 },
        };
        Assert.That((await PostAsync("/api/schedules", ViewerKey, body)).Code, Is.EqualTo("missing-role"));
        Assert.That((await PostAsync("/api/schedules", OperatorsKey, body)).Status, Is.EqualTo(201));
        Assert.That((await PostAsync("/api/schedules", OperatorsKey, body)).Code, Is.EqualTo("schedule-conflict"));
        Assert.That((await PatchAsync("mine", null, new { cron = "@hourly" })).Status, Is.EqualTo(428));
        Assert.That((await PatchAsync("mine", "\"nonsense\"", new { cron = "@hourly" })).Status, Is.EqualTo(400));
        Assert.That((await PatchAsync("mine", "*", new { cron = "@hourly" })).Status, Is.EqualTo(200));
        Assert.That((await PatchAsync("nothing", "*", new { cron = "@hourly" })).Status, Is.EqualTo(404));
        // One of the code has no payload and stays what it is.
        Assert.That((await CallAsync(HttpMethod.Patch, "tick", "*", new { cron = "@hourly" })).Status, Is.EqualTo(404));
        Assert.That(
            (
                await SendAsync(
                    HttpMethod.Put,
                    "/api/schedules/beat.mine",
                    OperatorsKey,
                    new
                    {
                        cron = "@daily",
                        timeZone = "UTC",
                        misfire = "Skip",
                    }
                )
            ).Status,
            Is.EqualTo(404),
            "changed as one of the code"
        );
    }

    [Test]
    public async Task A_preview_shows_ten_firings_in_the_zone_or_why_there_are_none()
    {
        var preview = await GetAsync("/api/schedules/preview?cron=30 2 * * *&timeZone=Europe/Berlin", ViewerKey);
        Assert.That(preview.Status, Is.EqualTo(200), preview.Text);
        Assert.That(preview.Body["next"]!.AsArray(), Has.Count.EqualTo(10));
        Assert.That(
            (await GetAsync("/api/schedules/preview?cron=30 2 30 2 *", ViewerKey)).Text,
            Does.Contain("fires some day")
        );
        Assert.That(
            (await GetAsync("/api/schedules/preview?cron=* * * * * *&kind=beat", ViewerKey)).Text,
            Does.Contain("at least 00:01:00")
        );
    }

    [Test]
    public async Task A_kind_that_is_gone_leaves_its_schedule_with_the_reason()
    {
        await CreateAsync("left", new { cron = "@daily", payload = new { pitch = 1 } });
        await DeployAsync(new ScheduleCatalogue());
        try
        {
            var left = (await GetAsync("/api/schedules/beat.left", ViewerKey)).Body;
            Assert.That(
                left["schedule"]!["unusableBecause"]!.GetValue<string>(),
                Does.StartWith("This version has no kind of schedules 'beat'.")
            );
            Assert.That(left["next"]!.AsArray(), Is.Empty);
            Assert.That((await DeleteAsync("left", "*")).Status, Is.EqualTo(204), "deleted all the same");
        }
        finally
        {
            await DeploySchedules();
        }
    }

    [Test]
    public async Task The_command_previews_creates_changes_lists_and_deletes()
    {
        var preview = await DevAsync("preview", "--cron", "0 6 * * *", "--zone", "Europe/Berlin", "--kind", "beat");
        Assert.That(preview.Code, Is.Zero, preview.Errors);
        Assert.That(
            preview.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Has.Length.EqualTo(10).And.All.Contains("T06:00:00+0")
        );
        var created = await DevAsync(
            "create",
            "beat",
            "typed",
            "--cron",
            "0 6 * * *",
            "--set",
            "pitch=7",
            "--set",
            "words=so \"said\"",
            "--reason",
            "as typed"
        );
        Assert.That((created.Code, created.Errors), Is.EqualTo((0, "")));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select payload::text from schedules where name = 'beat.typed'"
            ),
            Is.EqualTo("""{"pitch": 7, "words": "so \"said\""}""")
        );
        var changed = await DevAsync(
            "change",
            "beat.typed",
            "--set",
            "pitch=8",
            "--zone",
            "Asia/Tokyo",
            "--reason",
            "x"
        );
        Assert.That((changed.Code, changed.Errors), Is.EqualTo((0, "")));
        var list = await DevAsync("list");
        Assert.That(list.Output, Does.Match("(?m)^beat\\.typed +on +0 6 \\* \\* \\* +Asia/Tokyo"));
        Assert.That((await DevAsync("kinds")).Output, Does.Contain("beat").And.Contain("Ticks with a pitch."));
        var refused = await DevAsync("change", "beat.typed", "--set", "pitch=999", "--reason", "x");
        Assert.That(refused.Code, Is.EqualTo(1));
        Assert.That(refused.Errors, Does.Contain("Expected a whole number 1–100, found '999'."));
        Assert.That((await DevAsync("delete", "beat.typed", "--reason", "done")).Code, Is.Zero);
        Assert.That(await TestSystem.Database.CountAsync("schedules where name = 'beat.typed'"), Is.Zero);
    }

    private Task<(int Code, string Output, string Errors)> DevAsync(params string[] arguments) =>
        DevCommand.RunAsync(Dashboard.Address, OperatorsKey, ["schedules", .. arguments]);

    private Task DeployAsync(ScheduleCatalogue catalogue) =>
        new ScheduleDeployment(TestSystem.Database.Source, catalogue).DeployAsync(CancellationToken.None);

    private Task<(int Status, string Text, string? Tag)> CreateAsync(string name, object rest)
    {
        var body = JsonSerializer.SerializeToNode(rest)!.AsObject();
        body["kind"] = "beat";
        body["name"] = name;
        return CallAsync(HttpMethod.Post, null, null, body);
    }

    private Task<(int Status, string Text, string? Tag)> PatchAsync(string name, string? tag, object body) =>
        CallAsync(HttpMethod.Patch, $"beat.{name}", tag, body);

    private Task<(int Status, string Text, string? Tag)> DeleteAsync(string name, string? tag) =>
        CallAsync(HttpMethod.Post, $"beat.{name}/delete", tag, new { });

    private async Task<(int Status, string Text, string? Tag)> CallAsync(
        HttpMethod method,
        string? path,
        string? tag,
        object body
    )
    {
        using var request = new HttpRequestMessage(
            method,
            new Uri(Dashboard.Address, path is null ? "/api/schedules" : $"/api/schedules/{path}")
        )
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorsKey);
        if (tag is not null)
            request.Headers.IfMatch.ParseAdd(tag);
        using var response = await _http.SendAsync(request);
        return (
            (int)response.StatusCode,
            await response.Content.ReadAsStringAsync(),
            response.Headers.ETag?.ToString()
        );
    }
}
