using Orders.Infrastructure;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Topology;

/// <summary>
/// Somebody sets a policy on our queues by which the broker drops messages. No order stays in processing for ever: it
/// is shown as failed with that reason and can be redriven, or its message is published again.
/// </summary>
internal sealed class BrokerPolicyTests : ShopFixture
{
    private static readonly Dictionary<string, object> Short = new() { ["message-ttl"] = 200 };

    private RunningHost _poster = null!;

    [OneTimeSetUp]
    public async Task WatchAsync()
    {
        await RestartDashboardAsync(("Topology:Check", "true"));
        _poster = await TestSystem.StartAsync("");
    }

    [OneTimeTearDown]
    public async Task StopPosterAsync() => await _poster.DisposeAsync();

    [Test]
    public async Task What_an_operator_policy_expires_fails_its_order_with_that_reason_and_can_be_redriven()
    {
        await TestSystem.Broker.SetPolicyAsync("ttl", "^email$", Short);
        var orders = await OrdersAsync(3);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        await UntilAsync(ids, OrderStatus.NeedsAttention);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"""
                step_runs where subject_id = any($1) and step = 'email' and status = {StepStatus.Failed:D} and attempts = 0
                    and last_fault like '%expired by a broker policy%'
                """,
                ids
            ),
            Is.EqualTo(ids.Length),
            "steps that say why"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where subject_id = any($1) and state = {FailureState.Failed:D} and fault_type = 'ExpiredByPolicy'",
                ids
            ),
            Is.EqualTo(ids.Length),
            "failures in the index"
        );

        await TestSystem.Broker.SetPolicyAsync("ttl", null);
        await using var worker = await WorkAsync("*");
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The policy is gone.",
                start = true,
                canary = 0,
                ratePerSecond = 100,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201).Or.EqualTo(202), made.Text);
        await UntilAsync(ids, OrderStatus.Completed);
    }

    [Test]
    public async Task What_a_policy_in_place_of_ours_drops_is_published_again_when_it_is_gone()
    {
        await TestSystem.Broker.SetPolicyAsync("ours", "^inventory$", Short, isOperators: false);
        var orders = await OrdersAsync(3);
        await PostAsync(_poster, orders);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'topology' and subject = 'inventory' and says like '%are lost%'"
                ),
            Is.GreaterThanOrEqualTo(1L),
            "alerts about inventory",
            TimeSpan.FromMinutes(2)
        );
        await Eventually.That(() => TestSystem.Broker.CountAsync("inventory"), Is.Zero, "messages of inventory");

        await TestSystem.Broker.SetPolicyAsync("ours", null, isOperators: false);
        await using var worker = await WorkAsync("*");
        await UntilAsync(ids, OrderStatus.Completed);
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"effects where subject_id = any($1) and effect = 'inventory' and state = {EffectState.Done:D}",
                ids
            ),
            Is.EqualTo(ids.Length),
            "reservations by the books"
        );
    }

    private Task<long> UntilAsync(Guid[] orders, OrderStatus status) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "order_progress where order_id = any($1) and status = $2",
                    orders,
                    (short)status
                ),
            Is.EqualTo(orders.Length),
            $"orders that are {status}",
            TimeSpan.FromMinutes(3)
        );
}
