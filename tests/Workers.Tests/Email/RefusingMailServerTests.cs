using Orders.Contracts;
using Orders.Infrastructure.Steps;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Workers.Email;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that refuses everybody, and one that refuses single recipients:
/// which mails wait, which use up attempts, and what becomes of the breaker.
/// </summary>
[NonParallelizable]
public sealed class RefusingMailServerTests : InAnInstallation
{
    private const string ClosedBreakers = "breakers where dependency = 'smtp' and state = 0";

    [OneTimeSetUp]
    public Task Start() => StartAsync("email");

    [TearDown]
    public async Task BehaveWell()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await Orders.Database.ExecuteAsync("delete from dependency_calls");
        await Orders.Database.ExecuteAsync(
            "update breakers set state = 0, trips = 0, opened_at = null, retry_at = null, probe_by = null, probe_until = null"
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
            () => Orders.Database.CountAsync(ClosedBreakers),
            Is.Zero,
            "closed breakers: an open one is an alert"
        );
        await Eventually.That(
            () =>
                Orders.Database.CountAsync(
                    "step_runs where subject_id = $1 and status = 3 and attempts = 0 and last_fault like $2",
                    order,
                    $"%{reply}%"
                ),
            Is.EqualTo(1),
            "steps that say why they wait"
        );

        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await UntilInTheEndAsync(order, "email", StepStatus.Done);
        Assert.That(await Orders.AttemptsAsync(order, "email"), Is.EqualTo(1));
        Assert.That(MailsOf(order), Is.EqualTo(1));
        Assert.That(await Orders.Broker.CountAsync("email_error"), Is.Zero, "dead-lettered");
    }

    [Test]
    public async Task A_strict_server_accepts_the_host_name_that_is_sent()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.StrictEhlo));
        var order = await ConfirmAsync();
        await Orders.UntilAsync(order, "email", StepStatus.Done);

        Assert.That(await Orders.AttemptsAsync(order, "email"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_greylisted_mail_is_tried_again_and_leaves_the_breaker_alone()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Greylist));
        var order = await ConfirmAsync();
        await Orders.UntilAsync(order, "email", StepStatus.Retrying);
        await UntilInTheEndAsync(order, "email", StepStatus.Done);

        Assert.That(MailsOf(order), Is.EqualTo(1));
        Assert.That(await Orders.AttemptsAsync(order, "email"), Is.EqualTo(2));
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
                Orders.Database.CountAsync("step_runs where subject_id = any($1) and attempts >= 1", orders.ToArray()),
            Is.EqualTo(8),
            "steps with an attempt used up"
        );

        Assert.That(await Orders.Database.CountAsync(ClosedBreakers), Is.EqualTo(1));
        Assert.That(
            await Orders.Database.CountAsync("dependency_calls where failures > 0"),
            Is.Zero,
            "failures that were reported"
        );
        Assert.That(
            await Orders.Database.CountAsync("effects where subject_id = any($1)", orders.ToArray()),
            Is.Zero,
            "claims of mails that were certainly not accepted"
        );
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        foreach (var order in orders)
            await UntilInTheEndAsync(order, "email", StepStatus.Done);
    }

    private async Task<Guid> ConfirmAsync()
    {
        var order = await Orders.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        return order;
    }

    private int MailsOf(Guid order) =>
        World.Mails.Delivered.Count(m => m.MessageId == MessageIds.For("email", order, "orders.example"));
}
