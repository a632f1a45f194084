using System.Globalization;
using System.Text;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// Messages in <c>email_error</c> that no worker has recorded, because it could not write to the database: the index
/// settles the step and the order, whoever finds them.
/// </summary>
internal sealed class UnrecordedDeadLetterTests : ShopFixture
{
    private RunningHost _poster = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        base.Settings.Append(("Failures:FullLook", "00:00:01"));

    [OneTimeSetUp]
    public async Task StartPosterAsync() => _poster = await TestSystem.StartAsync("");

    [Test]
    public async Task A_step_without_a_row_and_one_that_was_to_be_retried_are_failed_and_their_orders_need_attention()
    {
        var orders = await OrdersAsync(6);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        // As a worker leaves it that records the attempt and then cannot write the redelivery.
        foreach (var order in ids[3..])
            await SetStepAsync(order, StepStatus.Retrying);
        await DeadLetterAsync(ids);

        await UntilNeedAttentionAsync(ids);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"step_runs where subject_id = any($1) and step = 'email' and status = {StepStatus.Failed:D} and next_attempt_at is null and last_fault like '%28P01%'",
                ids
            ),
            Is.EqualTo(ids.Length)
        );
        await TestSystem.Broker.TakeAllAsync("email_error");
    }

    [Test]
    public async Task Two_dashboards_that_find_the_same_messages_settle_each_once()
    {
        await using var other = await DashboardHost.StartAsync(TestSystem, Settings);
        var orders = await OrdersAsync(20);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        await DeadLetterAsync(ids);
        await UntilNeedAttentionAsync(ids);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where subject_id = any($1) and state = {FailureState.Failed:D}",
                ids
            ),
            Is.EqualTo(ids.Length),
            "rows in the index"
        );
        await TestSystem.Broker.TakeAllAsync("email_error");
    }

    [Test]
    public async Task What_has_ended_stays_as_it_is()
    {
        var orders = await OrdersAsync(4);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        StepStatus[] ends = [StepStatus.Done, StepStatus.Rejected, StepStatus.Cancelled, StepStatus.Expired];
        for (var i = 0; i < ids.Length; i++)
            await SetStepAsync(ids[i], ends[i]);
        await DeadLetterAsync(ids);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where subject_id = any($1)", ids),
            Is.EqualTo(ids.Length),
            "rows in the index"
        );
        var after = await TestSystem.Database.RowsAsync(
            "select status from step_runs where step = 'email' and subject_id = any($1) order by array_position($1, subject_id)",
            ids
        );
        Assert.That(after.Select(r => (StepStatus)(short)r[0]!), Is.EqualTo(ends));
        Assert.That(
            await TestSystem.Database.CountAsync("order_progress where order_id = any($1) and failed <> 0", ids),
            Is.Zero,
            "orders whose step counts as failed"
        );
        await TestSystem.Broker.TakeAllAsync("email_error");
    }

    [Test]
    public async Task What_was_indexed_before_without_its_step_is_settled_by_a_later_look()
    {
        var orders = await OrdersAsync(3);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        await DeadLetterAsync(ids, age: TimeSpan.FromMinutes(5));
        await UntilNeedAttentionAsync(ids);
        // As an earlier version left it.
        await TestSystem.Database.ExecuteAsync("update order_progress set failed = 0 where order_id = any($1)", ids);
        await TestSystem.Database.ExecuteAsync("delete from step_runs where subject_id = any($1)", ids);
        await UntilNeedAttentionAsync(ids);

        // The message itself is still in the step's queue: once it is worked on, nothing of the failure stays.
        await using var host = await WorkAsync("email");
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"step_runs where subject_id = any($1) and step = 'email' and status = {StepStatus.Done:D}",
                    ids
                ),
            Is.EqualTo(ids.Length),
            "steps done",
            TimeSpan.FromMinutes(1)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("order_progress where order_id = any($1) and failed <> 0", ids),
            Is.Zero,
            "orders whose step counts as failed"
        );
    }

    private Task<long> UntilNeedAttentionAsync(Guid[] orders) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "order_progress where order_id = any($1) and status = $2",
                    orders,
                    (short)OrderStatus.NeedsAttention
                ),
            Is.EqualTo(orders.Length),
            "orders that need attention",
            TimeSpan.FromSeconds(30)
        );

    private Task<int> SetStepAsync(Guid order, StepStatus status) =>
        TestSystem.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts, started_at, next_attempt_at) values ($1, 'email', $2, 1, now() - interval '10 minutes', case when $2 = 3 then now() + interval '5 minutes' end)",
            order,
            (short)status
        );

    // As MassTransit moves it, with the fault that took the place of the step's own.
    private async Task DeadLetterAsync(Guid[] orders, TimeSpan age = default)
    {
        foreach (var order in orders)
        {
            // The message that the poster has sent, and no other one.
            var id = OutgoingMessage.IdOf<OrderAccepted>(order);
            await TestSystem.Broker.PublishBytesAsync(
                "email_error",
                Envelope.Write(
                    new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                    id,
                    order,
                    id,
                    null,
                    DateTimeOffset.UtcNow
                ),
                new ByHand
                {
                    Id = id,
                    Headers = new()
                    {
                        ["MT-Reason"] = Encoding.UTF8.GetBytes("fault"),
                        ["MT-Fault-ExceptionType"] = Encoding.UTF8.GetBytes("Npgsql.PostgresException"),
                        ["MT-Fault-Message"] = Encoding.UTF8.GetBytes(
                            "28P01: password authentication failed for user \"orders_email\""
                        ),
                        ["MT-Fault-Timestamp"] = Encoding.UTF8.GetBytes(
                            (DateTimeOffset.UtcNow - age).ToString("O", CultureInfo.InvariantCulture)
                        ),
                    },
                }
            );
        }
    }
}
