using Orders.Contracts;
using Orders.Infrastructure;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// The mail server refuses the confirmation and the apology of a rejected order: two messages of one step stand in
/// <c>email_error</c>, and each is redriven alone. The step says that it is failed as long as one of them stands there.
/// </summary>
internal sealed class SeveralMessagesOfAStepTests : ShopFixture
{
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartStepsAsync() => _host = await WorkAsync("email,inventory");

    [OneTimeTearDown]
    public ValueTask StopStepsAsync() => _host.DisposeAsync();

    [Test]
    public async Task A_step_is_failed_until_the_last_of_its_messages_is_redriven(
        [Values(nameof(OrderAccepted), nameof(StockRejected))] string first,
        [Values] bool theOtherFailsAgain
    )
    {
        var second = first == nameof(OrderAccepted) ? nameof(StockRejected) : nameof(OrderAccepted);
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        var order = await TestSystem.PostAsync(_host, ("BOWL-EMPTY", 1));
        await UntilStandingAsync(order, 2);
        await AssertFailedAsync(order, "with both messages in email_error");

        if (theOtherFailsAgain)
        {
            await RedriveAsync(order, second, failsAgain: true);
            await UntilStandingAsync(order, 2);
            await AssertFailedAsync(order, $"after {second} has failed again");
        }

        await BehaveAsync(new { smtp = new { mode = "ok" } });
        await RedriveAsync(order, first, failsAgain: false);
        await UntilStandingAsync(order, 1);
        await AssertFailedAsync(order, $"with {second} in email_error");

        await RedriveAsync(order, second, failsAgain: false);
        await UntilStandingAsync(order, 0);
        Assert.That(await TestSystem.StatusAsync(order, "email"), Is.EqualTo(StepStatus.Done));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Rejected));
    }

    [Test]
    public async Task A_step_is_failed_while_one_message_stands_and_the_other_is_on_its_way()
    {
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        var order = await TestSystem.PostAsync(_host, ("BOWL-EMPTY", 1));
        await UntilStandingAsync(order, 2);

        // The mail server is away: the message waits for its next attempt, or for the breaker.
        await BehaveAsync(new { smtp = new { mode = "down" } });
        await StartAsync(order, nameof(OrderAccepted));
        await UntilStandingAsync(order, 1);
        await AssertFailedAsync(order, "with the apology in email_error");

        await BehaveAsync(new { smtp = new { mode = "ok" } });
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "effects where subject_id = $1 and effect = 'email' and state = $2",
                    order,
                    (short)QueueWorkers.Idempotency.EffectState.Done
                ),
            Is.EqualTo(1),
            "confirmations sent",
            TimeSpan.FromMinutes(2)
        );
        await AssertFailedAsync(order, "with the apology in email_error and the confirmation sent");
    }

    private Task<long> UntilStandingAsync(Guid order, int count) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "failures where subject_id = $1 and state = $2",
                    order,
                    (short)FailureState.Failed
                ),
            Is.EqualTo(count),
            "failures of the order",
            TimeSpan.FromMinutes(1)
        );

    private async Task AssertFailedAsync(Guid order, string when)
    {
        Assert.That(await TestSystem.StatusAsync(order, "email"), Is.EqualTo(StepStatus.Failed), $"step {when}");
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention), $"order {when}");
    }

    private async Task RedriveAsync(Guid order, string type, bool failsAgain)
    {
        var done = await UntilDoneAsync(await StartAsync(order, type), TimeSpan.FromMinutes(1));
        Assert.That(
            (done["done"]!.GetValue<int>(), done["failedAgain"]!.GetValue<int>()),
            Is.EqualTo(failsAgain ? (0, 1) : (1, 0)),
            done.ToJsonString()
        );
    }

    private async Task<string> StartAsync(Guid order, string type)
    {
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { order = order.ToString(), type },
                reason = "One message of the two.",
                start = true,
                stopPercent = 100,
                expect = 1,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        return $"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}";
    }
}
