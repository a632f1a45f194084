using System.Globalization;
using Orders.Infrastructure;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// The mail server answers 550 to a fifth of the orders. Size: ORDERS_SHOW_ORDERS, 1,000 in full.
/// </summary>
internal sealed class RefusedMailTests : ShopFixture
{
    private static readonly int Count = int.Parse(
        Environment.GetEnvironmentVariable("ORDERS_SHOW_ORDERS") ?? "100",
        CultureInfo.InvariantCulture
    );

    [Test]
    public async Task Are_one_group_are_redriven_once_whoever_asks_and_then_every_order_has_one_mail()
    {
        var refused = Count / 5;
        await BehaveAsync(new { smtp = new { mode = "reject", share = 0.2 } });
        await using var host = await WorkAsync("*");
        var orders = await OrdersAsync(Count);
        await PostAsync(host, orders);
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.Completed:D}"),
            Is.EqualTo(Count - refused),
            "orders completed",
            TimeSpan.FromMinutes(3)
        );
        await UntilFailuresAsync(FailureState.Failed, refused);
        Assert.That(
            await TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.NeedsAttention:D}"),
            Is.EqualTo(refused),
            "orders that need attention"
        );

        var groups = (await GetAsync("/api/failures/groups?step=email", ViewerKey)).Body.AsArray();
        Assert.That(
            groups.Select(g => g!["count"]!.GetValue<int>()),
            Is.EqualTo(new[] { refused }),
            groups.ToJsonString()
        );
        var filter = new { fault = "PermanentFaultException" };
        var plan = (await PostAsync("/api/redrives/preview", ViewerKey, new { filter, reason = "to see" })).Body;
        Assert.That(
            (
                plan["total"]!.GetValue<int>(),
                plan["toSend"]!.GetValue<int>(),
                plan["targets"]!.AsArray().All(t => t!["healthy"]!.GetValue<bool>())
            ),
            Is.EqualTo((refused, refused, true)),
            plan.ToJsonString()
        );

        await BehaveAsync(new { smtp = new { mode = "ok" } });
        var request = new
        {
            filter,
            reason = "The mail server takes these addresses again.",
            start = true,
            ratePerSecond = 200,
            expect = refused,
        };
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 100).Select(_ => PostAsync("/api/redrives", OperatorsKey, request))
        );
        // One of them redrives. Whoever comes while it runs is told which one it is; whoever comes after its end, on a
        // busy machine, that nothing is left; whoever waited too long there for a connection, to come again.
        Assert.That(
            answers.Count(a => a.Status == 201),
            Is.EqualTo(1),
            "answers to the same request 100 times at once"
        );
        Assert.That(
            answers.Where(a => a.Status != 201).Select(a => (a.Status, a.Code)).Distinct(),
            Is.SubsetOf([(409, "outstanding"), (422, "nothing-matches"), (503, "unavailable")])
        );
        var made = answers.Single(a => a.Status == 201).Body["redrive"]!["id"]!.GetValue<Guid>();
        Assert.That(
            answers.Where(a => a.Status == 409).Select(a => (a.Code, a.Body["redrive"]!.GetValue<Guid>())),
            Is.All.EqualTo(("outstanding", made))
        );

        var redrive = await UntilDoneAsync($"/api/redrives/{made}", TimeSpan.FromMinutes(2));
        Assert.That(
            (
                redrive["done"]!.GetValue<int>(),
                redrive["failedAgain"]!.GetValue<int>(),
                redrive["skipped"]!.GetValue<int>()
            ),
            Is.EqualTo((refused, 0, 0)),
            redrive.ToJsonString()
        );
        Assert.That(
            await TestSystem.Database.CountAsync($"order_progress where status = {OrderStatus.Completed:D}"),
            Is.EqualTo(Count),
            "orders completed in the end"
        );
        Assert.That(
            await MailsAsync(),
            Is.EquivalentTo(orders.ToDictionary(o => o.CustomerEmail, _ => 1)),
            "mails by customer"
        );

        await Eventually.That(() => TestSystem.Broker.CountAsync("email_error"), Is.Zero, "messages in email_error");
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where state = {FailureState.Redriven:D} and removed_at is not null and note = 'It was redriven and its work is done.'"
                ),
            Is.EqualTo(refused),
            "rows that say why"
        );
        var record = (await GetAsync("/api/audit", ViewerKey))
            .Body.AsArray()
            .Single(e => e!["action"]!.GetValue<string>() == "redrive")!;
        Assert.That(
            (record["who"]!.GetValue<string>(), record["count"]!.GetValue<int>()),
            Is.EqualTo(("otto", refused)),
            "one record: the refused requests changed nothing"
        );
    }
}
