namespace Orders.Dashboard.Tests.Flow;

/// <summary>
/// A worker is drained and given back over the operator API: who may, what is refused, and the record.
/// </summary>
internal sealed class DashboardDrainTests : DashboardFixture
{
    private readonly Guid _living = Guid.NewGuid();
    private readonly Guid _stopped = Guid.NewGuid();

    [OneTimeSetUp]
    public async Task WriteWorkersAsync()
    {
        foreach (var (id, stopped) in ((Guid, bool)[])[(_living, false), (_stopped, true)])
        {
            await TestSystem.Database.ExecuteAsync(
                """
                insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at,
                    stopped_at, runs)
                values ($1, 'worker-1', 7, '1.4.0', '{hurried}', 1, now(), now(), case when $2 then now() end,
                    '[{"step":"hurried","messageId":"0198a000-0000-7000-8000-000000000001","subjectId":"0198a000-0000-7000-8000-000000000002","attempt":3,"since":"2026-03-04T14:05:00Z"}]')
                """,
                id,
                stopped
            );
        }
    }

    [Test]
    public async Task An_operator_drains_a_worker_and_gives_it_back_and_each_is_in_the_record()
    {
        // This one answers at once: its next report lies in the future.
        await TestSystem.Database.ExecuteAsync(
            "update workers set last_seen_at = now() + interval '1 hour' where id = $1",
            _living
        );
        var drained = await PostAsync($"/api/workers/{_living}/drain", OperatorsKey, new { reason = "a new disk" });
        Assert.That(
            (drained.Status, drained.Body["answered"]!.GetValue<int>(), drained.Body["summary"]!.GetValue<string>()),
            Is.EqualTo(
                (200, 1, "worker-1 takes nothing more; 1 run under way. The page Workers says when it is drained.")
            )
        );
        var worker = (await GetAsync($"/api/workers/{_living}", ViewerKey)).Body;
        Assert.That(
            (
                worker["drainAskedAt"] is not null,
                worker["isDrained"]!.GetValue<bool>(),
                worker["drainBy"]!.GetValue<string>(),
                worker["drainReason"]!.GetValue<string>()
            ),
            Is.EqualTo((true, false, "otto", "a new disk"))
        );
        var back = await PostAsync($"/api/workers/{_living}/undrain", OperatorsKey, new { reason = "it is in" });
        Assert.That(
            (back.Status, back.Body["summary"]!.GetValue<string>()),
            Is.EqualTo((200, "worker-1 takes messages again."))
        );
        Assert.That((await GetAsync($"/api/workers/{_living}", ViewerKey)).Body["drainAskedAt"], Is.Null);
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, role, action, reason from audit where target = $1 and action <> 'refused' order by id",
                $"worker {_living}"
            ),
            Is.EqualTo(
                new object?[][]
                {
                    ["otto", "Operator", "drain-worker", "a new disk"],
                    ["otto", "Operator", "undrain-worker", "it is in"],
                }
            )
        );
    }

    [Test]
    public async Task Everybody_sees_what_a_worker_is_running()
    {
        var run = (await GetAsync("/api/workers", ViewerKey))
            .Body.AsArray()
            .Single(w => w!["id"]!.GetValue<Guid>() == _living)!["runs"]![0]!;
        Assert.That(
            (run["step"]!.GetValue<string>(), run["attempt"]!.GetValue<int>(), run["subjectId"]!.GetValue<string>()),
            Is.EqualTo(("hurried", 3, "0198a000-0000-7000-8000-000000000002"))
        );
    }

    [Test]
    public async Task What_cannot_be_is_a_problem_that_says_why_and_changes_nothing()
    {
        var unknown = await PostAsync($"/api/workers/{Guid.NewGuid()}/drain", OperatorsKey, new { reason = "a slip" });
        Assert.That((unknown.Status, unknown.Code), Is.EqualTo((404, "not-found")), unknown.ToString());
        Assert.That((await GetAsync($"/api/workers/{Guid.NewGuid()}", ViewerKey)).Code, Is.EqualTo("not-found"));
        var stopped = await PostAsync($"/api/workers/{_stopped}/drain", OperatorsKey, new { reason = "a slip" });
        Assert.That((stopped.Status, stopped.Code), Is.EqualTo((409, "worker-stopped")), stopped.ToString());
        var silent = await PostAsync($"/api/workers/{_living}/drain", OperatorsKey, new { reason = " " });
        Assert.That((silent.Status, silent.Code), Is.EqualTo((400, "invalid-parameter")), silent.ToString());
        Assert.That(
            await TestSystem.Database.CountAsync("audit where reason = 'a slip'"),
            Is.Zero,
            "what was not done is in no record"
        );
    }

    [Test]
    public async Task A_viewer_may_look_and_what_else_he_tries_is_written_down()
    {
        foreach (var verb in (string[])["drain", "undrain"])
        {
            var path = $"/api/workers/{_living}/{verb}";
            Assert.That(
                (await PostAsync(path, ViewerKey, new { reason = "why not" })).Code,
                Is.EqualTo("missing-role"),
                path
            );
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "audit where who = 'vera' and action = 'refused' and target = $1",
                    $"POST {path}"
                ),
                Is.EqualTo(1),
                path
            );
        }
    }
}
