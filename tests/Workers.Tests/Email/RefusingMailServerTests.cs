using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Workers.Email;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that refuses everybody, and one that refuses single recipients:
/// which mails wait, which use up attempts, and what becomes of the breaker.
/// </summary>
[NonParallelizable]
public sealed class RefusingMailServerTests : InstallationFixture
{
    private static readonly string ClosedBreakers =
        $"breakers where dependency = 'smtp' and state = {BreakerState.Closed:D}";

    [OneTimeSetUp]
    public Task Start() => StartAsync("email");

    [TearDown]
    public async Task BehaveWell()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await TestSystem.Database.ExecuteAsync("delete from dependency_calls");
        await TestSystem.Database.ExecuteAsync(
            $"update breakers set state = {BreakerState.Closed:D}, trips = 0, opened_at = null, retry_at = null, probe_by = null, probe_until = null"
        );
    }

    [TestCase(SmtpMode.Quota, "5.4.5")]
    [TestCase(SmtpMode.NeedsAuth, "5.7.0")]
    public async Task One_mail_is_enough_to_see_that_everybody_is_refused_and_no_attempt_is_used_up(
        SmtpMode mode,
        string reply
    )
    {
        World.Behaviour.Smtp.Set(new(mode));
        var order = await ConfirmAsync();
        await Eventually.That(
            () => TestSystem.Database.CountAsync(ClosedBreakers),
            Is.Zero,
            "closed breakers: an open one is an alert"
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"step_runs where subject_id = $1 and status = {StepStatus.Retrying:D} and attempts = 0 and last_fault like $2",
                    order,
                    $"%{reply}%"
                ),
            Is.EqualTo(1),
            "steps that say why they wait"
        );

        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await UntilInTheEndAsync(order, "email", StepStatus.Done);
        Assert.That(await TestSystem.AttemptsAsync(order, "email"), Is.EqualTo(1));
        Assert.That(MailsOf(order), Is.EqualTo(1));
        Assert.That(await TestSystem.Broker.CountAsync("email_error"), Is.Zero, "dead-lettered");
    }

    [Test]
    public async Task A_strict_server_accepts_the_host_name_that_is_sent()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.StrictEhlo));
        var order = await ConfirmAsync();
        await TestSystem.UntilAsync(order, "email", StepStatus.Done);

        Assert.That(await TestSystem.AttemptsAsync(order, "email"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_greylisted_mail_is_tried_again_and_leaves_the_breaker_alone()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Greylist));
        var order = await ConfirmAsync();
        await TestSystem.UntilAsync(order, "email", StepStatus.Retrying);
        await UntilInTheEndAsync(order, "email", StepStatus.Done);

        Assert.That(MailsOf(order), Is.EqualTo(1));
        Assert.That(await TestSystem.AttemptsAsync(order, "email"), Is.EqualTo(2));
    }

    [Test]
    public async Task Full_mailboxes_do_not_open_the_breaker()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.FullMailbox));
        var orders = new List<Guid>();
        for (var i = 0; i < 8; i++)
            orders.Add(await ConfirmAsync());
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and attempts >= 1",
                    orders.ToArray()
                ),
            Is.EqualTo(8),
            "steps with an attempt used up"
        );

        Assert.That(await TestSystem.Database.CountAsync(ClosedBreakers), Is.EqualTo(1));
        Assert.That(
            await TestSystem.Database.CountAsync("dependency_calls where failures > 0"),
            Is.Zero,
            "failures that were reported"
        );
        // The next attempts follow after two seconds, and each has its claim until the server has answered.
        await Eventually.That(
            () => TestSystem.Database.CountAsync("effects where subject_id = any($1)", orders.ToArray()),
            Is.Zero,
            "claims of mails that were certainly not accepted"
        );
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        foreach (var order in orders)
            await UntilInTheEndAsync(order, "email", StepStatus.Done);
    }

    private async Task<Guid> ConfirmAsync()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        return order;
    }

    private int MailsOf(Guid order) =>
        World.Mails.Delivered.Count(m => m.MessageId == MessageIds.For("email", order, "orders.example"));
}
