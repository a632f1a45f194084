using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Workers.Email;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// One mail an order, in every mode of the mail server, with somebody to ask about receipts and without.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
public sealed class EmailStepTests(bool canAsk) : InstallationFixture
{
    [OneTimeSetUp]
    public Task Start() => StartAsync("email", canAsk ? [] : [("Email:ReceiptsUrl", null)]);

    [SetUp]
    public void BehaveWell() => World.Behaviour.Smtp.Set(new(SmtpMode.Ok));

    [Test]
    public async Task An_accepted_order_is_confirmed()
    {
        var order = await ConfirmAsync();
        await TestSystem.UntilAsync(order, "email", StepStatus.Done);

        Assert.That(MailsOf("email", order), Is.EqualTo(1));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select reference from effects where subject_id = $1 and effect = 'email'",
                order
            ),
            Is.EqualTo(IdOf("email", order))
        );
    }

    [Test]
    public async Task A_rejected_order_gets_an_apology_which_its_progress_does_not_wait_for()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync(
            "email",
            order,
            new StockRejected(order, [new StockShortage("MUG-BLUE", 2, 1)], DateTimeOffset.UtcNow)
        );
        await Eventually.That(() => TestSystem.EffectsAsync(order), Is.EqualTo(1), "effects that are done");

        Assert.That(MailsOf("apology", order), Is.EqualTo(1));
        Assert.That(
            World.Mails.Delivered.Single(m => m.MessageId == IdOf("apology", order)).Subject,
            Does.EndWith("cannot be filled")
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>("select done from order_progress where order_id = $1", order),
            Is.Zero
        );
    }

    [TestCase(SmtpMode.Down)]
    [TestCase(SmtpMode.TempFail)]
    public async Task A_server_that_cannot_take_mail_for_a_while_gets_it_once_it_can(SmtpMode mode)
    {
        World.Behaviour.Smtp.Set(new(mode));
        var order = await ConfirmAsync();
        await TestSystem.UntilAsync(order, "email", StepStatus.Retrying);
        // The next attempt follows after two seconds, and has its claim until the server has answered.
        await Eventually.That(
            () => TestSystem.Database.CountAsync("effects where subject_id = $1", order),
            Is.Zero,
            "claims of a mail that was certainly not sent"
        );
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await UntilInTheEndAsync(order, "email", StepStatus.Done);

        Assert.That(MailsOf("email", order), Is.EqualTo(1));
    }

    [Test]
    public async Task A_refused_mail_is_dead_lettered_at_once()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Reject));
        var order = await ConfirmAsync();
        await TestSystem.UntilAsync(order, "email", StepStatus.Failed);

        Assert.That(await TestSystem.AttemptsAsync(order, "email"), Is.EqualTo(1));
        Assert.That(await TestSystem.Database.CountAsync("effects where subject_id = $1", order), Is.Zero);
    }

    [Test]
    public async Task A_mail_whose_reply_was_lost_is_asked_about_and_never_sent_twice()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Vanish));
        var order = await ConfirmAsync();
        await UntilInTheEndAsync(order, "email", canAsk ? StepStatus.Done : StepStatus.Uncertain);

        Assert.That(MailsOf("email", order), Is.EqualTo(1));
    }

    [Test]
    public async Task A_mail_cut_off_in_the_middle_is_sent_again_only_when_somebody_says_that_it_did_not_arrive()
    {
        // A short mail leaves in one piece with its final dot, so the cut leaves an open question.
        World.Behaviour.Smtp.Set(new(SmtpMode.Drop));
        var order = await ConfirmAsync();
        await Eventually.That(
            () => World.Mails.Everything.Count(m => !m.IsDelivered && m.MessageId == IdOf("email", order)),
            Is.Positive,
            "the order's mails that were cut off"
        );
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await UntilInTheEndAsync(order, "email", canAsk ? StepStatus.Done : StepStatus.Uncertain);

        Assert.That(MailsOf("email", order), Is.EqualTo(canAsk ? 1 : 0));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task After_a_run_that_died_with_its_claim_the_sink_is_asked_or_a_person(bool wasSent)
    {
        var (order, message) = (await TestSystem.StoreAsync(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state, lease_until, reference, at) values ($1, 'email', $2, 'email', 1, now() - interval '1 second', $3, now() - interval '1 minute')",
            order,
            message,
            IdOf("email", order)
        );
        if (wasSent)
            await SendAsDeadRunAsync(order);
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow), message);
        await UntilInTheEndAsync(order, "email", canAsk ? StepStatus.Done : StepStatus.Uncertain);

        Assert.That(MailsOf("email", order), Is.EqualTo(wasSent || canAsk ? 1 : 0));
    }

    // Its process was killed with the claim in its hands, and the message was dead-lettered, removed from its queue, or
    // is still to come.
    [TestCase(StepStatus.Failed, 1)]
    [TestCase(StepStatus.Running, 3600)]
    [TestCase(StepStatus.Cancelled, 3600)]
    public async Task A_cancelled_order_gets_its_mail_although_the_confirmations_claim_never_ends(
        StepStatus status,
        int endedSecondsAgo
    )
    {
        var order = await ClaimOfADeadRunAsync(status, endedSecondsAgo);
        await DeliverAsync("email", order, new OrderCancelled(order, DateTimeOffset.UtcNow));
        await Eventually.That(() => MailsOf("email-undo", order), Is.EqualTo(1), "mails about the cancellation");
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where correlation_id = $1", order.ToString()),
            Is.Zero,
            "messages that are deferred"
        );
    }

    [TestCase(StepStatus.Running, -3600)]
    [TestCase(StepStatus.Retrying, 60)]
    public async Task The_mail_about_a_cancellation_waits_for_a_confirmation_that_is_under_way(
        StepStatus status,
        int endedSecondsAgo
    )
    {
        var order = await ClaimOfADeadRunAsync(status, endedSecondsAgo);
        await DeliverAsync("email", order, new OrderCancelled(order, DateTimeOffset.UtcNow), Guid.NewGuid());
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where exchange = 'email' and position($1::text in convert_from(body, 'UTF8')) > 0",
                    order.ToString()
                ),
            Is.Positive,
            "deferred messages"
        );
        Assert.That(MailsOf("email-undo", order), Is.Zero);
        await TestSystem.Database.ExecuteAsync(
            $"update step_runs set status = {StepStatus.Failed:D} where subject_id = $1; ",
            order
        );
        await TestSystem.Database.ExecuteAsync("update effects set lease_until = now() where subject_id = $1", order);
        // The wait grows with the time since the lease ended, to half a minute here: it is not waited out.
        await Eventually.That(
            async () =>
            {
                await TestSystem.FastForwardAsync();
                return MailsOf("email-undo", order);
            },
            Is.EqualTo(1),
            "mails about the cancellation"
        );
    }

    private async Task<Guid> ClaimOfADeadRunAsync(StepStatus status, int endedSecondsAgo)
    {
        var order = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state, lease_until, reference) values ($1, 'email', $2, 'email', 1, now() - make_interval(secs => $3), $4)",
            order,
            Guid.NewGuid(),
            (double)endedSecondsAgo,
            IdOf("email", order)
        );
        await TestSystem.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts, started_at) values ($1, 'email', $2, 1, now())",
            order,
            (short)status
        );
        return order;
    }

    [Test]
    public async Task While_another_run_holds_the_lease_nothing_is_sent_and_no_attempt_is_counted()
    {
        var (order, message) = (await TestSystem.StoreAsync(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state, lease_until, reference) values ($1, 'email', $2, 'email', 1, now() + interval '1 hour', $3)",
            order,
            message,
            IdOf("email", order)
        );
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow), message);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where message_id = $1 and due_at > now() + interval '30 minutes'",
                    message
                ),
            Is.EqualTo(1),
            "the message waits for the lease"
        );

        Assert.That(MailsOf("email", order), Is.Zero);
        Assert.That(await TestSystem.AttemptsAsync(order, "email"), Is.Zero);
        await TestSystem.Database.ExecuteAsync("delete from outbox where message_id = $1", message);
    }

    private async Task<Guid> ConfirmAsync()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        return order;
    }

    private async Task SendAsDeadRunAsync(Guid order)
    {
        var options = EmailOptions.Read(Tests.Settings.Of([.. Towards(World)]));
        await using var pool = new SmtpPool(options.Smtp);
        using var mail = OrderMail.Confirmation(SampleDetails.Of(), options.Sender, IdOf("email", order));
        var mailer = new Mailer(pool, options);
        await using var connected = await mailer.ConnectAsync();
        await mailer.SendAsync(connected, mail, new SmtpTransferMonitor(TimeSpan.FromMinutes(1)));
    }

    private int MailsOf(string effect, Guid order) =>
        World.Mails.Delivered.Count(m => m.MessageId == IdOf(effect, order));

    private static string IdOf(string effect, Guid order) => MessageIds.For(effect, order, "orders.example");
}
