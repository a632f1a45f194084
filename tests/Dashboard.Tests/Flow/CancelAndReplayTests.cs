using Orders.Infrastructure;

namespace Orders.Dashboard.Tests.Flow;

/// <summary>The operator's hand on the flow of orders: cancel, replay; each in the record.</summary>
internal sealed class CancelAndReplayTests : DashboardFixture
{
    [Test]
    public async Task An_operator_cancels_anybodys_order_and_the_record_says_so_once()
    {
        var order = await TestSystem.StoreAsync();
        var first = await PostAsync($"/api/orders/{order}/cancel", OperatorsKey, new { reason = "the customer rang" });
        var second = await PostAsync($"/api/orders/{order}/cancel", OperatorsKey, new { reason = "again" });

        Assert.That((first.Status, second.Status), Is.EqualTo((202, 204)), $"{first} {second}");
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"order_progress where order_id = $1 and status = {OrderStatus.Cancelled:D}",
                order
            ),
            Is.EqualTo(1)
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(who || ', ' || action || ', ' || reason, ';') from audit where target = $1",
                $"order {order}"
            ),
            Is.EqualTo("otto, cancel order, the customer rang")
        );
    }

    [Test]
    public async Task An_order_is_cancelled_by_its_number_too()
    {
        var order = await TestSystem.StoreAsync();
        var number = await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", order);
        Assert.That(
            (
                await PostAsync($"/api/orders/O-{number:D8}/cancel", OperatorsKey, new { reason = "by telephone" })
            ).Status,
            Is.EqualTo(202)
        );
        Assert.That(
            (await PostAsync("/api/orders/O-99999999/cancel", OperatorsKey, new { })).Code,
            Is.EqualTo("not-found")
        );
        Assert.That(
            (await PostAsync("/api/orders/mine/cancel", OperatorsKey, new { })).Code,
            Is.EqualTo("invalid-filter")
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"order_progress where order_id = $1 and status = {OrderStatus.Cancelled:D}",
                order
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_viewer_may_look_and_not_act()
    {
        var order = await TestSystem.StoreAsync();
        Assert.That((await PostAsync($"/api/orders/{order}/cancel", ViewerKey, new { })).Status, Is.EqualTo(403));
        Assert.That(
            (await PostAsync("/api/replays", ViewerKey, new { step = "hurried", perSecond = 1 })).Status,
            Is.EqualTo(403)
        );
        Assert.That((await GetAsync("/api/replays", ViewerKey)).Status, Is.EqualTo(200));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = $1 and cancelled_at is not null",
                order
            ),
            Is.Zero
        );
    }

    [Test]
    public async Task What_is_not_there_or_cannot_be_cancelled_is_said()
    {
        Assert.That(
            (await PostAsync($"/api/orders/{Guid.NewGuid()}/cancel", OperatorsKey, new { })).Code,
            Is.EqualTo("not-found")
        );
        var order = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set done = required, completed_at = now() where order_id = $1",
            order
        );
        Assert.That(
            (await PostAsync($"/api/orders/{order}/cancel", OperatorsKey, new { })).Code,
            Is.EqualTo("order-not-cancellable")
        );
    }

    [Test]
    public async Task A_replay_is_begun_held_and_resumed()
    {
        // The zoo consumes nothing that is made of an order; this says it does.
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted'] where step = 'hurried'"
        );
        var begun = await PostAsync(
            "/api/replays",
            OperatorsKey,
            new
            {
                step = "hurried",
                perSecond = 10,
                filter = new { premium = true },
                reason = "a new step",
            }
        );
        Assert.That(begun.Status, Is.EqualTo(201), begun.ToString());
        var id = begun.Body["id"]!.GetValue<Guid>();

        Assert.That((await PostAsync($"/api/replays/{id}/stop", OperatorsKey)).Status, Is.EqualTo(204));
        Assert.That((await PostAsync($"/api/replays/{id}/stop", OperatorsKey)).Code, Is.EqualTo("replay-state"));
        Assert.That(
            (await GetAsync($"/api/replays/{id}", ViewerKey)).Body["state"]!.GetValue<string>(),
            Is.EqualTo("Stopped")
        );
        Assert.That((await PostAsync($"/api/replays/{id}/resume", OperatorsKey)).Status, Is.EqualTo(204));
        Assert.That(
            (await PostAsync($"/api/replays/{Guid.NewGuid()}/resume", OperatorsKey)).Code,
            Is.EqualTo("not-found")
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(action, ',' order by id) from audit where action like '%replay'"
            ),
            Is.EqualTo("begin replay,stop replay,resume replay")
        );
    }

    [Test]
    public async Task A_replay_that_cannot_be_is_refused_with_the_reason()
    {
        var refused = await PostAsync("/api/replays", OperatorsKey, new { step = "parrot", perSecond = 10 });
        Assert.That(refused.Code, Is.EqualTo("replay-refused"), refused.ToString());
        Assert.That(
            (await PostAsync("/api/replays", OperatorsKey, new { step = "careful", perSecond = 0 })).Code,
            Is.EqualTo("replay-refused")
        );
    }
}
