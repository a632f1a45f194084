using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// A run died between the mail server's answer and its own commit, and nobody can be asked; an operator looks, and says
/// what happened.
/// </summary>
internal sealed class UncertainMailTests : ShopFixture
{
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartStepAsync() => _host = await WorkAsync("email", ("Email:ReceiptsUrl", ""));

    [OneTimeTearDown]
    public ValueTask StopStepAsync() => _host.DisposeAsync();

    [Test]
    public async Task One_that_was_sent_is_done_and_is_not_sent_again()
    {
        var order = await UncertainAsync();
        Assert.That(
            (await SettleAsync(order, happened: true, key: ViewerKey)).Status,
            Is.EqualTo(403),
            "a viewer settles nothing"
        );
        Assert.That(
            (await SettleAsync(order, happened: true, reason: " ")).Status,
            Is.EqualTo(400),
            "without a reason"
        );
        Assert.That((await SettleAsync(order, happened: true)).Status, Is.EqualTo(200));
        Assert.That(
            (await SettleAsync(order, happened: false)).Status,
            Is.EqualTo(404),
            "it is not uncertain any more"
        );

        Assert.That(await TestSystem.StatusAsync(order, "email"), Is.EqualTo(StepStatus.Done));
        Assert.That(
            await TestSystem.OrderStatusAsync(order),
            Is.EqualTo(OrderStatus.Processing),
            "the order waits for its other steps only"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where subject_id = $1 and state = {FailureState.Redriven:D} and note like 'Settled by otto, its effect happened: %'",
                order
            ),
            Is.EqualTo(1),
            "the failure, closed"
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where subject_id = $1 and removed_at is null", order),
            Is.Zero,
            "its message, out of the queue"
        );
        Assert.That(await MailsToAsync(order), Is.Zero, "mails sent by us");
        Assert.That(
            (await GetAsync("/api/audit", ViewerKey))
                .Body.AsArray()
                .Count(e =>
                    e!["action"]!.GetValue<string>() == "settle-effect"
                    && e["target"]!.GetValue<string>() == $"email of {order}: it happened"
                ),
            Is.EqualTo(1),
            "records"
        );
    }

    [Test]
    public async Task One_that_was_not_sent_is_redriven_and_sent_once()
    {
        var order = await UncertainAsync();
        var failure = await TestSystem.Database.ScalarAsync<Guid>(
            "select id from failures where subject_id = $1",
            order
        );
        var plan = (
            await PostAsync(
                "/api/redrives/preview",
                ViewerKey,
                new { filter = new { ids = new[] { failure } }, reason = "to see" }
            )
        ).Body;
        Assert.That(
            (plan["toSend"]!.GetValue<int>(), plan["problems"]![0]!["reason"]!.GetValue<string>()),
            Is.EqualTo(
                (
                    0,
                    "Nobody knows whether its effect happened; settle that first (POST /api/effects/{subject}/{effect}/settle), or it would only be dead-lettered again."
                )
            )
        );

        var settled = await SettleAsync(order, happened: false);
        Assert.That(settled.Status, Is.EqualTo(202), settled.ToString());
        await UntilDoneAsync($"/api/redrives/{settled.Body["redrive"]!["id"]!.GetValue<Guid>()}");
        Assert.That(await TestSystem.StatusAsync(order, "email"), Is.EqualTo(StepStatus.Done));
        Assert.That(await MailsToAsync(order), Is.EqualTo(1), "mails");
    }

    private Task<Answer> SettleAsync(
        Guid order,
        bool happened,
        string reason = "Looked into the mail server's log.",
        string? key = null
    ) => PostAsync($"/api/effects/{order}/email/settle", key ?? OperatorsKey, new { happened, reason });

    // The claim of a run that died, its lease over; then the message comes again.
    private async Task<Guid> UncertainAsync()
    {
        var steps = await TestSystem.RequiredStepsAsync();
        var order = SampleOrders.New(steps, ("MUG-BLUE", 1)) with { CustomerEmail = $"{Guid.NewGuid():N}@example.com" };
        await TestSystem.StoreAsync([order]);
        var message = Guid.NewGuid();
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state, lease_until, reference) values ($1, 'email', $2, 'email', 1, now() - interval '1 second', 'mail-of-a-dead-run')",
            order.Id,
            message
        );
        await TestSystem.Broker.PublishToAsync(
            "email",
            new OrderAccepted(order.Id, false, DateTimeOffset.UtcNow),
            new ByHand { Id = message, CorrelationId = order.Id }
        );
        await TestSystem.UntilAsync(order.Id, "email", StepStatus.Uncertain);
        // Said first, dead-lettered then, and found after that.
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "failures where subject_id = $1 and state = $2",
                    order.Id,
                    (short)FailureState.Failed
                ),
            Is.EqualTo(1),
            "the failure in the index"
        );
        var listed = (await GetAsync("/api/effects/uncertain", ViewerKey))
            .Body.AsArray()
            .Single(e => e!["subjectId"]!.GetValue<Guid>() == order.Id)!;
        Assert.That(
            (
                listed["effect"]!.GetValue<string>(),
                listed["reference"]!.GetValue<string>(),
                listed["messageId"]!.GetValue<Guid>()
            ),
            Is.EqualTo(("email", "mail-of-a-dead-run", message)),
            listed.ToJsonString()
        );
        Assert.That(await TestSystem.OrderStatusAsync(order.Id), Is.EqualTo(OrderStatus.NeedsAttention));
        return order.Id;
    }

    private async Task<int> MailsToAsync(Guid order) =>
        (await MailsAsync()).GetValueOrDefault(
            await TestSystem.Database.ScalarAsync<string>("select customer_email from orders where id = $1", order)
        );
}
