using System.Text;
using System.Text.Json.Nodes;
using Orders.Contracts;
using QueueWorkers.DeadLetters;
using QueueWorkers.Outbox;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// Rows of the outbox that the broker would not have are failures like any other, and are sent from where they are.
/// </summary>
internal sealed class QuarantinedRowTests : ShopFixture
{
    private RunningHost _host = null!;

    // One refusal is enough, or a row would be tried for a quarter of an hour; in each process, because any relay may
    // be the one that sends it.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [.. base.Settings, ("Outbox:MaxAttempts", "1")];

    [OneTimeSetUp]
    public async Task StartStepAsync() =>
        _host = await WorkAsync("email", Settings.Where(s => s.Name == "Outbox:MaxAttempts"));

    [OneTimeTearDown]
    public ValueTask StopStepAsync() => _host.DisposeAsync();

    [Test]
    public async Task One_is_redriven_from_its_row()
    {
        var (row, order) = await QuarantineAsync(
            "email",
            """{"orderId":"%","premium":false,"acceptedAt":"2026-11-24T08:00:00Z"}"""
        );
        var done = await RedriveAsync(row, null);
        Assert.That(
            (done["done"]!.GetValue<int>(), done["failedAgain"]!.GetValue<int>()),
            Is.EqualTo((1, 0)),
            done.ToJsonString()
        );
        await TestSystem.UntilAsync(order, "email", QueueWorkers.Steps.StepStatus.Done);
        Assert.That(await TestSystem.Database.CountAsync("outbox where id = $1", row), Is.Zero, "rows left");
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where identity = $1 and state = {FailureState.Redriven:D} and removed_at is not null",
                row
            ),
            Is.EqualTo(1),
            "the failure, closed"
        );
    }

    [Test]
    public async Task One_is_patched_in_its_row_and_leaves_no_second_one_behind()
    {
        var (row, order) = await QuarantineAsync(
            "email",
            """{"orderId":"%","premium":"no","acceptedAt":"2026-11-24T08:00:00Z"}"""
        );
        var done = await RedriveAsync(
            row,
            [
                new JsonObject
                {
                    ["op"] = "replace",
                    ["path"] = "/premium",
                    ["value"] = false,
                },
            ]
        );
        Assert.That(
            (done["done"]!.GetValue<int>(), done["failedAgain"]!.GetValue<int>()),
            Is.EqualTo((1, 0)),
            done.ToJsonString()
        );
        await TestSystem.UntilAsync(order, "email", QueueWorkers.Steps.StepStatus.Done);
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where correlation_id = $1", order.ToString()),
            Is.Zero,
            "rows left"
        );
    }

    [Test]
    public async Task One_that_the_broker_refuses_again_has_failed_again_and_is_dead_lettered_again()
    {
        var (row, _) = await QuarantineAsync(
            "no-such-exchange",
            """{"orderId":"%","premium":false,"acceptedAt":"2026-11-24T08:00:00Z"}"""
        );
        var done = await RedriveAsync(row, null);
        Assert.That(
            (done["done"]!.GetValue<int>(), done["failedAgain"]!.GetValue<int>()),
            Is.EqualTo((0, 1)),
            done.ToJsonString()
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where identity = $1 and state = {FailureState.Failed:D} and generation = 1",
                    row
                ),
            Is.EqualTo(1),
            "the next generation, dead-lettered"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where identity = $1 and state = {FailureState.FailedAgain:D} and generation = 0",
                row
            ),
            Is.EqualTo(1),
            "the first one"
        );
    }

    [Test]
    public async Task A_dead_lettered_message_that_the_broker_refuses_when_it_is_redriven_has_failed_again()
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        await DeadLetterAsync([order]);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where subject_id = $1", order),
            Is.EqualTo(1),
            "the failure"
        );
        // As if its step had been taken out of the installation since.
        await TestSystem.Database.ExecuteAsync(
            "update failures set step = 'no-such-step' where subject_id = $1",
            order
        );
        var id = await TestSystem.Database.ScalarAsync<Guid>("select id from failures where subject_id = $1", order);
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { ids = new[] { id } },
                reason = "To see.",
                start = true,
            }
        );
        var done = await UntilDoneAsync($"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}");
        Assert.That(
            (done["done"]!.GetValue<int>(), done["failedAgain"]!.GetValue<int>()),
            Is.EqualTo((0, 1)),
            done.ToJsonString()
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where subject_id = $1 and state = {FailureState.Failed:D} and queue = 'outbox'",
                    order
                ),
            Is.EqualTo(1),
            "the refused message, dead-lettered where it is now"
        );
    }

    // As the relay leaves a row that it has given up.
    private async Task<(Guid Row, Guid Order)> QuarantineAsync(string exchange, string payload)
    {
        var order = (await TestSystem.StoreAsync(await OrdersAsync(1)))[0];
        var (row, message) = (Guid.CreateVersion7(), Guid.NewGuid());
        var envelope = JsonNode.Parse(
            Envelope.Write(
                new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                message,
                order,
                message,
                null,
                DateTimeOffset.UtcNow
            )
        )!;
        envelope["message"] = JsonNode.Parse(payload.Replace("%", order.ToString(), StringComparison.Ordinal));
        await TestSystem.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, attempts, last_error, due_at, dead_at)
            values ($1, $2, $3, '', $4, $5, '{}', $6, true, 10, 'refused', now(), now())
            """,
            row,
            message,
            exchange,
            order.ToString(),
            Envelope.ContentType,
            Encoding.UTF8.GetBytes(envelope.ToJsonString())
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "failures where queue = 'outbox' and identity = $1 and state = $2",
                    row,
                    (short)FailureState.Failed
                ),
            Is.EqualTo(1),
            "the failure"
        );
        return (row, order);
    }

    private async Task<JsonNode> RedriveAsync(Guid row, JsonArray? patch)
    {
        var id = await TestSystem.Database.ScalarAsync<Guid>("select id from failures where identity = $1", row);
        var made = await PostAsync(
            "/api/redrives",
            patch is null ? OperatorsKey : AdminKey,
            new
            {
                filter = new { ids = new[] { id } },
                reason = "Fixed.",
                start = true,
                patch,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        return await UntilDoneAsync($"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}");
    }
}
