using System.Text.Json.Nodes;
using QueueWorkers.FlowControl.CircuitBreakers;

namespace Orders.Dashboard.Tests.Flow;

/// <summary>
/// The operator's hand on running steps: pause, resume, limits, breakers; who may, what is refused, and the record.
/// </summary>
internal sealed class ControlTests : DashboardFixture
{
    private const string Step = "patient";

    [Test]
    public async Task An_operator_holds_a_step_limits_it_and_lets_it_go_on_and_each_is_in_the_record()
    {
        Assert.That(
            (await PostAsync($"/api/steps/{Step}/pause", OperatorsKey, new { reason = "the server moves" })).Status,
            Is.EqualTo(200)
        );
        Assert.That((await StepAsync())["paused"]!.GetValue<bool>(), Is.True);
        Assert.That(
            (
                await PutAsync(
                    "concurrency",
                    OperatorsKey,
                    new
                    {
                        perReplica = 3,
                        total = 7,
                        reason = "gently",
                    }
                )
            ).Status,
            Is.EqualTo(200)
        );
        Assert.That(
            (
                await PutAsync(
                    "rates",
                    OperatorsKey,
                    new { rates = "100/60s, 5/10s per customer", reason = "as agreed" }
                )
            ).Status,
            Is.EqualTo(200)
        );
        Assert.That(
            (await PostAsync($"/api/steps/{Step}/resume", OperatorsKey, new { reason = "it has moved" })).Status,
            Is.EqualTo(200)
        );

        var step = await StepAsync();
        Assert.That(
            (
                step["paused"]!.GetValue<bool>(),
                step["replicaLimit"]!.GetValue<int>(),
                step["totalLimit"]!.GetValue<int>(),
                step["rates"]!.GetValue<string>(),
                step["changedBy"]!.GetValue<string>(),
                step["reason"]!.GetValue<string>()
            ),
            Is.EqualTo((false, 3, 7, "100/m, 5/10s per customer", "otto", "it has moved"))
        );
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, role, action, target, reason from audit where target like 'step patient%' and action <> 'refused' order by id"
            ),
            Is.EqualTo(
                new object?[][]
                {
                    ["otto", "Operator", "pause-step", "step patient", "the server moves"],
                    ["otto", "Operator", "limit-step", "step patient: 3 per replica, 7 in total", "gently"],
                    ["otto", "Operator", "limit-step", "step patient: 100/60s, 5/10s per customer", "as agreed"],
                    ["otto", "Operator", "resume-step", "step patient", "it has moved"],
                }
            )
        );

        Assert.That(
            (await PutAsync("concurrency", AdminKey, new { })).Status,
            Is.EqualTo(200),
            "an admin may all that an operator may"
        );
        Assert.That((await PutAsync("rates", AdminKey, new { })).Status, Is.EqualTo(200));
        step = await StepAsync();
        Assert.That(
            (step["replicaLimit"], step["totalLimit"], step["rates"]),
            Is.EqualTo(((JsonNode?)null, (JsonNode?)null, (JsonNode?)null)),
            "what is not given is the policy's again"
        );
    }

    [Test]
    public async Task A_viewer_may_look_and_what_else_he_tries_is_written_down()
    {
        (HttpMethod Method, string Path, object Body)[] attempts =
        [
            (HttpMethod.Post, "/api/steps/hurried/pause", new { }),
            (HttpMethod.Post, "/api/steps/hurried/resume", new { }),
            (HttpMethod.Put, "/api/steps/hurried/concurrency", new { total = 1 }),
            (HttpMethod.Put, "/api/steps/hurried/rates", new { rates = "1/h" }),
            (HttpMethod.Put, "/api/breakers/smtp", new { force = "Open" }),
        ];
        foreach (var (method, path, body) in attempts)
        {
            var answer = await SendAsync(method, path, ViewerKey, body);
            Assert.That((answer.Status, answer.Code), Is.EqualTo((403, "missing-role")), $"{path}: {answer}");
            Assert.That((await SendAsync(method, path, null, body)).Code, Is.EqualTo("unauthorized"), path);
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "audit where who = 'vera' and action = 'refused' and target = $1",
                    $"{method} {path}"
                ),
                Is.EqualTo(1),
                path
            );
        }

        Assert.That((await GetAsync("/api/steps", ViewerKey)).Status, Is.EqualTo(200));
        Assert.That((await GetAsync("/api/breakers", ViewerKey)).Status, Is.EqualTo(200));
        Assert.That(
            await TestSystem.Database.CountAsync("step_controls where step = 'hurried'"),
            Is.Zero,
            "nothing was changed"
        );
    }

    [Test]
    public async Task What_cannot_be_is_a_problem_that_says_why_and_changes_nothing()
    {
        var unknown = await PostAsync("/api/steps/pateint/pause", OperatorsKey, new { reason = "a slip" });
        Assert.That((unknown.Status, unknown.Code), Is.EqualTo((404, "not-found")), unknown.ToString());
        Assert.That(
            unknown.Body["detail"]!.GetValue<string>(),
            Does.Contain("did you mean 'patient'?").And.Contain("hurried")
        );

        var none = await PutAsync("concurrency", OperatorsKey, new { total = 0 });
        Assert.That((none.Status, none.Code), Is.EqualTo((400, "invalid-parameter")), none.ToString());
        Assert.That(none.Body["detail"]!.GetValue<string>(), Does.Contain("pause the step"));
        var many = await PutAsync("rates", OperatorsKey, new { rates = "many" });
        Assert.That((many.Status, many.Code), Is.EqualTo((400, "invalid-parameter")), many.ToString());
        Assert.That(many.Body["detail"]!.GetValue<string>(), Does.Contain("'100/m'").And.Contain("'many'"));
        Assert.That(
            (await PutAsync("rates", OperatorsKey, new { rate = "100/m" })).Code,
            Is.EqualTo("bad-request"),
            "a member that nobody knows"
        );
        Assert.That(
            (await SendAsync(HttpMethod.Put, "/api/breakers/fax", OperatorsKey, new { force = "Open" })).Code,
            Is.EqualTo("not-found")
        );
        Assert.That(
            await TestSystem.Database.CountAsync("audit where reason = 'a slip'"),
            Is.Zero,
            "what was not done is in no record"
        );
    }

    [Test]
    public async Task A_breaker_is_held_and_released()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into breakers (dependency, state, trips, reason, changed_at) values ('fax', 0, 0, '', now())"
        );
        try
        {
            Assert.That(
                (
                    await SendAsync(
                        HttpMethod.Put,
                        "/api/breakers/fax",
                        OperatorsKey,
                        new { force = "Open", reason = "an outage at ten" }
                    )
                ).Status,
                Is.EqualTo(200)
            );
            Assert.That(
                (await GetAsync("/api/breakers", ViewerKey)).Body[0]!["effective"]!.GetValue<string>(),
                Is.EqualTo(nameof(BreakerState.Open))
            );
            Assert.That(
                (await SendAsync(HttpMethod.Put, "/api/breakers/fax", OperatorsKey, new { force = "HalfOpen" })).Code,
                Is.EqualTo("invalid-parameter")
            );
            Assert.That(
                (
                    await SendAsync(HttpMethod.Put, "/api/breakers/fax", OperatorsKey, new { reason = "it is over" })
                ).Status,
                Is.EqualTo(200)
            );
            Assert.That(
                await TestSystem.Database.RowsAsync(
                    "select who, action, target, reason from audit where target like 'breaker fax%' order by id"
                ),
                Is.EqualTo(
                    new object?[][]
                    {
                        ["otto", "force-breaker", "breaker fax: Open", "an outage at ten"],
                        ["otto", "force-breaker", "breaker fax: released", "it is over"],
                    }
                )
            );
        }
        finally
        {
            await TestSystem.Database.ExecuteAsync("delete from breakers where dependency = 'fax'");
        }
    }

    private async Task<JsonNode> StepAsync() =>
        (await GetAsync("/api/steps", ViewerKey)).Body.AsArray().Single(s => s!["step"]!.GetValue<string>() == Step)!;

    private Task<Answer> PutAsync(string what, string key, object body) =>
        SendAsync(HttpMethod.Put, $"/api/steps/{Step}/{what}", key, body);
}
