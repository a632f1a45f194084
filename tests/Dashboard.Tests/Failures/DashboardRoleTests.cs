using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Deployment;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring.Alerts;
using QueueWorkers.Monitoring.History;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// The dashboard with the database role and the broker user of an installation: it may do all that operators ask of it.
/// What it may not do is in LeastPrivilegeTests.
/// </summary>
internal sealed class DashboardRoleTests : ShopFixture
{
    private const string Password = SharedLogins.Password;

    [OneTimeSetUp]
    public async Task TakeRoleAsync()
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(("DASHBOARD_DB_PASSWORD", Password), ("DASHBOARD_MQ_PASSWORD", Password)),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
        var user = ProcessCredentials.UserOf("dashboard");
        await RestartDashboardAsync(
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = user,
                    Password = Password,
                }.ConnectionString
            ),
            ("RabbitMq:Username", user),
            ("RabbitMq:Password", Password)
        );
    }

    [Test]
    public async Task Failures_are_indexed_searched_archived_restored_edited_redriven_and_settled()
    {
        await using var host = await WorkAsync("email");
        var orders = await TestSystem.StoreAsync(await OrdersAsync(4));
        await DeadLetterAsync(orders);
        await UntilFailuresAsync(FailureState.Failed, 4);
        Assert.That(
            (await GetAsync("/api/failures?text=device", ViewerKey)).Body["total"]!.GetValue<int>(),
            Is.EqualTo(4)
        );
        Assert.That(
            (await GetAsync("/api/failures?customer=customer2@example.com", ViewerKey)).Body["total"]!.GetValue<int>(),
            Is.EqualTo(1)
        );
        Assert.That((await GetAsync("/api/failures/groups", ViewerKey)).Body.AsArray(), Has.Count.EqualTo(1));
        var ids = await Task.WhenAll(
            orders.Select(o =>
                TestSystem.Database.ScalarAsync<Guid>("select id from failures where subject_id = $1", o)
            )
        );
        // While the indexer itself looks, this one is told so and asks again.
        await Eventually.That(
            () => PostAsync("/api/failures/look", OperatorsKey, new { queue = "email_error" }),
            Has.Property("Status").EqualTo(200),
            "a look"
        );

        await OkAsync(
            "/api/failures/archive",
            OperatorsKey,
            new { filter = new { ids = ids[..1] }, reason = "To see." }
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(3u),
            "messages in email_error"
        );
        await OkAsync("/api/failures/restore", OperatorsKey, new { ids = ids[..1], reason = "To see." });
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(4u),
            "messages in email_error"
        );

        await OkAsync("/api/redrives/preview", ViewerKey, new { filter = new { step = "email" }, reason = "To see." });
        var edited = await OkAsync(
            $"/api/failures/{ids[0]}/edit",
            AdminKey,
            new
            {
                payload = new
                {
                    orderId = orders[0],
                    premium = false,
                    acceptedAt = "2026-11-24T08:00:00Z",
                },
                reason = "To see.",
            }
        );
        await UntilDoneAsync($"/api/redrives/{edited.Body["redrive"]!["id"]!.GetValue<Guid>()}");

        // As a run that died leaves it, and a look at the mail server's log that found nothing.
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state) select subject_id, 'email', message_id, 'email', 3 from failures where id = any($1)",
            (object)ids[1..3]
        );
        await OkAsync(
            $"/api/effects/{orders[1]}/email/settle",
            OperatorsKey,
            new { happened = true, reason = "It is in the log." }
        );
        var again = await OkAsync(
            $"/api/effects/{orders[2]}/email/settle",
            OperatorsKey,
            new { happened = false, reason = "It is not in the log." }
        );
        await UntilDoneAsync($"/api/redrives/{again.Body["redrive"]!["id"]!.GetValue<Guid>()}");

        var made = await OkAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The rest.",
                start = true,
            }
        );
        var done = await UntilDoneAsync($"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}");
        Assert.That(done["done"]!.GetValue<int>(), Is.EqualTo(1), done.ToJsonString());
        await Eventually.That(() => TestSystem.Broker.CountAsync("email_error"), Is.Zero, "messages in email_error");
        Assert.That(
            await TestSystem.Database.CountAsync($"effects where effect = 'email' and state = {EffectState.Done:D}"),
            Is.EqualTo(4),
            "effects"
        );
    }

    [Test]
    public async Task A_message_that_the_broker_gave_up_is_shown_with_its_order()
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        await TestSystem.Broker.PublishBytesAsync(
            "email_error",
            QueueWorkers.Outbox.Envelope.Write(
                new Contracts.OrderAccepted(order, false, DateTimeOffset.UtcNow),
                Guid.NewGuid(),
                order,
                Guid.NewGuid(),
                null,
                DateTimeOffset.UtcNow
            ),
            new Testing.Servers.ByHand { Headers = new() { ["x-first-death-reason"] = "delivery_limit" } }
        );
        await TestSystem.UntilAsync(order, "email", QueueWorkers.Steps.StepStatus.Failed);
        Assert.That(
            await TestSystem.OrderStatusAsync(order),
            Is.EqualTo(Orders.Infrastructure.OrderStatus.NeedsAttention)
        );
        await OkAsync(
            "/api/failures/archive",
            OperatorsKey,
            new { filter = new { order = order.ToString() }, reason = "Seen." }
        );
    }

    [Test]
    public async Task Operators_log_in_and_alert_rules_are_changed_and_silenced()
    {
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "lola",
            OperatorRole.Viewer,
            "right password",
            null,
            default
        );
        var sessions = Dashboard.Services.GetRequiredService<OperatorSessions>();
        Assert.That(await sessions.BeginAsync("lola", "wrong password", default), Is.Null);
        var secret = await sessions.BeginAsync("lola", "right password", default);
        Assert.That((await sessions.FindAsync(secret!, isActive: true, default))?.Name, Is.EqualTo("lola"));
        await sessions.EndAsync(secret!, default);

        var alerts = Dashboard.Services.GetRequiredService<AlertStore>();
        Assert.That(await alerts.ChangeAsync("dead-letters", 77, TimeSpan.FromMinutes(1), true, default));
        Assert.That(await alerts.SilenceAsync("dead-letters", TimeSpan.FromMinutes(1), default));
    }

    [Test]
    public async Task Workers_are_drained_and_deployments_read()
    {
        var worker = Guid.NewGuid();
        await TestSystem.Database.ExecuteAsync(
            "insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at) values ($1, 'worker-1', 1, '1.4.0', '{email}', 0, now(), now() + interval '1 hour')",
            worker
        );
        await TestSystem.Database.ExecuteAsync("insert into step_builds (step, build) values ('email', '1.4.0')");
        await OkAsync($"/api/workers/{worker}/drain", OperatorsKey, new { reason = "To see." });
        await OkAsync($"/api/workers/{worker}/undrain", OperatorsKey, new { reason = "Seen." });
        var marks = await Dashboard
            .Services.GetRequiredService<DeployReader>()
            .ReadAsync(TimeSpan.FromHours(1), "email", DateTimeOffset.UtcNow, default);
        Assert.That(marks.Select(m => m.Build), Does.Contain("1.4.0"));
    }

    private async Task<Answer> OkAsync(string path, string key, object body)
    {
        var answer = await PostAsync(path, key, body);
        Assert.That(answer.Status, Is.InRange(200, 299), $"{path}: {answer}");
        return answer;
    }
}
