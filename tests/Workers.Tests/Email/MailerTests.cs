using System.Diagnostics;
using MimeKit;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Smtp;
using Orders.Testing;
using Orders.Workers.Email;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>What is known after a mail was handed to a server that behaves in each of the ways servers do.</summary>
public sealed class MailerTests
{
    private static readonly TimeSpan LongLease = TimeSpan.FromMinutes(1);

    // Enough to connect and to hand the text over on a busy machine: what is cut off by the limit is the wait for the
    // reply.
    private static readonly TimeSpan ForTheText = TimeSpan.FromSeconds(8);

    private RunningWorld _world = null!;
    private SmtpPool _pool = null!;
    private Mailer _mailer = null!;

    [SetUp]
    public async Task StartAWorld()
    {
        _world = await OutsideWorldHost.StartAsync();
        _pool = new SmtpPool(Smtp);
        _mailer = MailerWithin(LongLease);
    }

    [TearDown]
    public async Task StopIt()
    {
        await _pool.DisposeAsync();
        await _world.DisposeAsync();
    }

    private Mailer MailerWithin(TimeSpan limit) => new(_pool, new EmailOptions { Smtp = Smtp, SendTimeout = limit });

    private SmtpOptions Smtp =>
        new()
        {
            Host = "127.0.0.1",
            Port = _world.SmtpPort,
            Security = SmtpSecurity.None,
        };

    [Test]
    public async Task An_accepted_mail_is_accepted_once()
    {
        Assert.That(await SendAsync("a"), Is.EqualTo(MailOutcome.Accepted));
        Assert.That(_world.Mails.Delivered.Select(m => m.MessageId), Is.EqualTo(new[] { "a@orders.example" }));
    }

    [Test]
    public async Task Mails_one_after_the_other_share_a_connection()
    {
        for (var i = 0; i < 5; i++)
            await SendAsync($"m{i}");

        Assert.That(_world.Mails.DeliveredCount, Is.EqualTo(5));
        Assert.That(_pool.IdleCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Two_hundred_mails_in_parallel_are_each_accepted_once_over_at_most_ten_connections()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => SendAsync($"m{i}")));

        Assert.That(_world.Mails.Delivered.Select(m => m.MessageId), Is.Unique);
        Assert.That(_world.Mails.DeliveredCount, Is.EqualTo(200));
        Assert.That(_pool.IdleCount, Is.InRange(1, SmtpPool.Size));
    }

    [Test]
    public async Task A_pooled_connection_that_the_server_has_closed_is_replaced_without_a_failed_attempt()
    {
        await SendAsync("before");
        _world.Behaviour.Smtp.Set(new(SmtpMode.Down));
        _world.Behaviour.Smtp.Set(new(SmtpMode.Ok));

        Assert.That(await SendAsync("after"), Is.EqualTo(MailOutcome.Accepted));
        Assert.That(
            _world.Mails.Delivered.Select(m => m.MessageId),
            Is.EqualTo(new[] { "before@orders.example", "after@orders.example" })
        );
    }

    [Test]
    public async Task A_server_that_takes_three_connections_gets_all_mails_over_three_and_more_when_it_takes_more()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.FewConnections));
        await using var pool = new SmtpPool(Smtp, raiseAfter: TimeSpan.FromMilliseconds(200));
        var mailer = new Mailer(pool, new EmailOptions { Smtp = Smtp, SendTimeout = LongLease });
        var connected = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => mailer.ConnectAsync()));
        var waiting = Enumerable
            .Range(0, 30)
            .Select(i => SendAsync(mailer, Mail($"m{i}"), new SmtpTransferMonitor(LongLease)))
            .ToArray();
        await Eventually.That(() => Task.FromResult(pool.Limit), Is.LessThan(SmtpPool.Size), "the pool's limit");
        foreach (var unused in connected)
            await unused.DisposeAsync();

        Assert.That(await Task.WhenAll(waiting), Has.All.EqualTo(MailOutcome.Accepted), "none had to come again");
        Assert.That(_world.Mails.Delivered.Select(m => m.MessageId), Is.Unique.And.Exactly(30).Items);
        _world.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await Eventually.That(() => Task.FromResult(pool.Limit), Is.EqualTo(SmtpPool.Size), "the pool's limit");
    }

    [Test]
    public async Task A_process_without_a_connection_waits_for_another_one_to_close_one()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.FewConnections));
        await using var others = new SmtpPool(Smtp);
        var held = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => others.TakeAsync(CancellationToken.None)));
        // As long as it takes this machine to see the refusal below.
        await using var pool = new SmtpPool(Smtp, longestRefusal: LongLease);
        var mailer = new Mailer(pool, new EmailOptions { Smtp = Smtp, SendTimeout = LongLease });
        var sending = SendAsync(mailer, Mail("a"), new SmtpTransferMonitor(LongLease));
        await Eventually.That(
            () => Task.FromResult(_world.TurnedAway),
            Is.Positive,
            "connections that were turned away"
        );
        foreach (var connection in held)
            await others.GiveBackAsync(connection, isBroken: true);

        Assert.That(await sending, Is.EqualTo(MailOutcome.Accepted));
    }

    [Test]
    public async Task A_process_without_a_connection_stops_waiting_after_a_while()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.FewConnections));
        await using var others = new SmtpPool(Smtp);
        var held = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => others.TakeAsync(CancellationToken.None)));
        await using var pool = new SmtpPool(Smtp, longestRefusal: TimeSpan.Zero);
        var mailer = new Mailer(pool, new EmailOptions { Smtp = Smtp, SendTimeout = LongLease });

        Assert.That(
            () => mailer.ConnectAsync(),
            Throws.TypeOf<MailNotSentException>().With.Message.Contains("too many connections")
        );
        foreach (var connection in held)
            await others.GiveBackAsync(connection, isBroken: true);
    }

    [Test]
    public void A_mail_larger_than_the_server_says_in_EHLO_is_final_and_says_so()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.SizeLimit));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<PermanentFaultException>().With.Message.Match("has [0-9]+ bytes.* at most 500 .SIZE in EHLO")
        );
        Assert.That(_world.Mails.Everything, Is.Empty, "mails that the server has heard of");
        Assert.That(_pool.IdleCount, Is.EqualTo(1), "the connection is still good");
    }

    [Test]
    public async Task An_international_domain_goes_as_punycode_although_the_server_has_SMTPUTF8()
    {
        using var mail = Mail("a");
        mail.To.Clear();
        mail.To.Add(new MailboxAddress("Zoë", "zoe@bücher.example"));
        await SendAsync(_mailer, mail, new SmtpTransferMonitor(LongLease));

        Assert.That(_world.Mails.Delivered.Single().To, Is.EqualTo("zoe@xn--bcher-kva.example"));
    }

    [Test]
    public async Task Sender_and_recipient_go_in_one_packet_where_the_server_has_PIPELINING()
    {
        await SendAsync("a");

        Assert.That(_world.LargestPipeline, Is.EqualTo(2), "commands that came in one packet");
    }

    [Test]
    public async Task An_idle_connection_is_closed()
    {
        await using var pool = new SmtpPool(Smtp, idleLimit: TimeSpan.FromMilliseconds(300));
        await SendAsync(
            new Mailer(pool, new EmailOptions { Smtp = Smtp }),
            Mail("a"),
            new SmtpTransferMonitor(LongLease)
        );

        await Eventually.That(() => pool.IdleCount, Is.Zero, "idle connections");
    }

    [Test]
    public void A_451_is_certainly_not_sent_and_transient()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.TempFail));

        Assert.That(() => SendAsync("a"), Throws.TypeOf<MailNotSentException>().With.Message.Contains("451"));
    }

    [Test]
    public void A_550_is_permanent_and_shows_no_address()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Reject));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<PermanentFaultException>().With.Message.Contains("550").And.Message.Not.Contains("zoe@")
        );
    }

    [TestCase(SmtpMode.Quota, "550 5.4.5")]
    [TestCase(SmtpMode.NeedsAuth, "5.7.0")]
    [TestCase(SmtpMode.StrictEhlo, "504 5.5.2")]
    public void A_refusal_that_every_mail_would_get_is_not_the_mails(SmtpMode mode, string reply)
    {
        _world.Behaviour.Smtp.Set(new(mode));

        Assert.That(
            () => SendAsync("a", ehlo: "3f2a9c"),
            Throws.TypeOf<MailServerRefusedException>().With.Message.Contains(reply)
        );
    }

    [Test]
    public async Task A_strict_server_takes_mails_of_a_client_with_a_full_host_name()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.StrictEhlo));

        Assert.That(await SendAsync("a", ehlo: "orders.example"), Is.EqualTo(MailOutcome.Accepted));
    }

    [Test]
    public void A_421_to_EHLO_is_certainly_not_sent_and_transient()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.NoEhlo));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<MailNotSentException>().With.Message.Contains("could not be reached")
        );
    }

    [Test]
    public async Task A_greylisted_mail_is_the_recipients_matter_and_accepted_when_it_comes_again()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Greylist));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<RecipientDeferredException>().With.Message.Contains("450 4.2.0")
        );
        Assert.That(await SendAsync("a"), Is.EqualTo(MailOutcome.Accepted));
        Assert.That(_pool.IdleCount, Is.EqualTo(1), "the connection is good");
    }

    [Test]
    public void A_full_mailbox_is_the_recipients_matter()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.FullMailbox));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<RecipientDeferredException>().With.Message.Contains("452 4.2.2")
        );
    }

    [Test]
    public void No_server_is_certainly_not_sent_and_transient()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Down));

        Assert.That(
            () => SendAsync("a"),
            Throws.TypeOf<MailNotSentException>().With.Message.Contains("could not be reached")
        );
    }

    [Test]
    public async Task A_reply_that_never_comes_leaves_the_outcome_unknown()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Vanish));

        Assert.That(await SendAsync("a"), Is.EqualTo(MailOutcome.Unknown));
        Assert.That(_world.Mails.DeliveredCount, Is.EqualTo(1), "the sink has it, and only the sink knows");
    }

    [Test]
    public async Task A_server_slower_than_the_time_limit_leaves_the_outcome_unknown()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Slow, TimeSpan.FromMinutes(1)));

        var sending = SendAsync(MailerWithin(ForTheText), Mail("a"), new SmtpTransferMonitor(LongLease));
        Assert.That(await sending, Is.EqualTo(MailOutcome.Unknown));
    }

    [Test]
    public async Task A_connection_lost_in_the_middle_of_the_text_is_never_taken_for_accepted()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.Drop));
        MailOutcome? outcome = null;
        try
        {
            outcome = await SendAsync("a");
        }
        catch (MailNotSentException)
        {
            // The cut was noticed before the last byte had left; just as good.
        }

        Assert.That(outcome, Is.Null.Or.EqualTo(MailOutcome.Unknown));
        Assert.That(_world.Mails.DeliveredCount, Is.Zero);
    }

    [Test]
    public void A_run_that_was_frozen_beyond_its_lease_stops_before_the_final_dot()
    {
        var handover = new SmtpTransferMonitor(TimeSpan.FromMilliseconds(1));
        var begun = Stopwatch.GetTimestamp();
        Assert.That(
            () => Stopwatch.GetElapsedTime(begun),
            Is.GreaterThan(TimeSpan.FromMilliseconds(2)).After(1_000, 5)
        );

        Assert.That(
            () => SendAsync(_mailer, Mail("a"), handover),
            Throws.TypeOf<MailNotSentException>().With.Message.Contains("lease")
        );
        Assert.That(_world.Mails.DeliveredCount, Is.Zero);
    }

    private async Task<MailOutcome> SendAsync(string id, string ehlo)
    {
        var smtp = new SmtpOptions
        {
            Host = "127.0.0.1",
            Port = _world.SmtpPort,
            Security = SmtpSecurity.None,
            EhloName = ehlo,
        };
        await using var pool = new SmtpPool(smtp);
        return await SendAsync(
            new Mailer(pool, new EmailOptions { Smtp = smtp }),
            Mail(id),
            new SmtpTransferMonitor(LongLease)
        );
    }

    private async Task<MailOutcome> SendAsync(string id) =>
        await SendAsync(_mailer, Mail(id), new SmtpTransferMonitor(LongLease));

    private static async Task<MailOutcome> SendAsync(Mailer mailer, MimeMessage mail, SmtpTransferMonitor handover)
    {
        await using var connected = await mailer.ConnectAsync();
        return await mailer.SendAsync(connected, mail, handover);
    }

    private static MimeMessage Mail(string id) =>
        OrderMail.Confirmation(
            SampleDetails.Of(),
            new MailboxAddress("Orders", "orders@orders.example"),
            id + "@orders.example"
        );
}
