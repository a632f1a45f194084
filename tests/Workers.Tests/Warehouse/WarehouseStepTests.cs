using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Warehouse;

[NonParallelizable]
public sealed class WarehouseStepTests : InstallationFixture
{
    [OneTimeSetUp]
    public Task Start() => StartAsync("warehouse");

    [SetUp]
    public void BehaveWell() => World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));

    [Test]
    public async Task A_warehouse_that_is_down_for_a_while_is_told_once_it_is_up()
    {
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Error));
        var (order, message) = (await TestSystem.StoreAsync(), Guid.NewGuid());
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow), message);
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Retrying);
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        await UntilInTheEndAsync(order, "warehouse", StepStatus.Done);

        var accepted = World.Warehouse.Of(order.ToString()).Where(c => c.IsAccepted).ToArray();
        Assert.That(accepted.Select(c => c.IdempotencyKey), Is.EqualTo(new[] { order.ToString() }));
    }

    [Test]
    public async Task A_pick_list_whose_key_is_in_progress_there_is_repeated_and_told_once()
    {
        World.Behaviour.Warehouse.Set(new(WarehouseMode.InProgress));
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Retrying);
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        await UntilInTheEndAsync(order, "warehouse", StepStatus.Done);

        Assert.That(
            World.Warehouse.Of(order.ToString()).Select(c => c.Answer).Distinct(),
            Is.EqualTo(new[] { 409, 200 })
        );
    }

    [Test]
    public async Task The_next_attempt_waits_as_long_as_the_warehouse_asks()
    {
        World.Behaviour.Warehouse.Set(new(WarehouseMode.RetryAfter, TimeSpan.FromMinutes(5)));
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Retrying);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where due_at > now() + interval '4 minutes'"),
            Is.EqualTo(1),
            "messages that come again in five minutes (the policy says two seconds)"
        );
        Assert.That(World.Warehouse.Of(order.ToString()).Select(c => c.Answer), Is.EqualTo(new[] { 429 }));
    }

    [TestCase(WarehouseMode.HalfEmoji, "no room for")]
    [TestCase(WarehouseMode.Endless, "had not ended after 2 s")]
    public async Task A_refusal_whose_text_is_broken_is_recorded_with_it(WarehouseMode mode, string saying)
    {
        World.Behaviour.Warehouse.Set(new(mode));
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Failed);

        Assert.That(await TestSystem.LastFaultAsync(order, "warehouse"), Does.Contain(saying));
        Assert.That(World.Warehouse.Of(order.ToString()).Select(c => c.Answer), Is.EqualTo(new[] { 422 }));
    }

    [Test]
    public async Task A_refused_pick_list_is_dead_lettered_at_once()
    {
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Reject));
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Failed);

        Assert.That(await TestSystem.AttemptsAsync(order, "warehouse"), Is.EqualTo(1));
        Assert.That(World.Warehouse.Of(order.ToString()), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task An_order_that_was_told_is_not_told_again_by_a_message_of_another_id()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "warehouse", StepStatus.Done);
        await TestSystem.Database.ExecuteAsync("delete from idempotency");
        await DeliverAsync("warehouse", order, new StockReserved(order, DateTimeOffset.UtcNow));
        var next = await TestSystem.StoreAsync();
        await DeliverAsync("warehouse", next, new StockReserved(next, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(next, "warehouse", StepStatus.Done);
        await Eventually.That(() => TestSystem.Broker.CountAsync("warehouse"), Is.Zero, "messages that wait");

        Assert.That(World.Warehouse.Of(order.ToString()), Has.Count.EqualTo(1));
        Assert.That(World.Warehouse.Of(order.ToString())[0].Repeats, Is.Zero);
    }
}
