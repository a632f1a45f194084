using System.Diagnostics;
using System.Net.Sockets;
using MailKit.Net.Smtp;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Tests.Smtp;

/// <summary>What each mode does to a mail, what the sender sees, and what the ledger says afterwards.</summary>
public sealed class SmtpModesTests : OutsideWorldFixture
{
    // A timer counts ticks of a coarser clock than the stopwatch and may end a fraction of a tick before it: 399.96 ms
    // was seen.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    private void Play(SmtpMode mode, decimal share = 1, TimeSpan delay = default) =>
        World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(mode, delay, share));

    [Test]
    public async Task Slow_records_the_mail_at_once_and_answers_late()
    {
        var delay = TimeSpan.FromMilliseconds(400);
        Play(SmtpMode.Slow, delay: delay);
        var watch = Stopwatch.StartNew();
        var sending = SendAsync(Mail());

        Assert.That(() => World.Mails.DeliveredCount, Is.EqualTo(1).After(60).Seconds.PollEvery(10).MilliSeconds);
        // A busy machine may look for the first time after the delay.
        Assert.That(!sending.IsCompleted || watch.Elapsed > delay - Tick, "the answer came before its delay");
        await sending;
        Assert.That(watch.Elapsed, Is.GreaterThan(delay - Tick));
    }

    [Test]
    public async Task A_sender_that_gives_up_on_a_slow_server_finds_its_mail_in_the_ledger()
    {
        Play(SmtpMode.Slow, delay: TimeSpan.FromMinutes(5));
        var client = await ConnectAsync();
        using var patience = new CancellationTokenSource();
        var sending = client.SendAsync(Mail(id: "late@orders.example"), patience.Token);
        // Not before the mail is there: a busy machine may take any time for that.
        Assert.That(() => World.Mails.DeliveredCount, Is.EqualTo(1).After(60).Seconds.PollEvery(10).MilliSeconds);
        await patience.CancelAsync();
        Assert.That(async () => await sending, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await MailsAsync("?messageId=late@orders.example"), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Down_refuses_connections_and_cuts_open_ones_until_it_is_ok_again_on_the_same_port()
    {
        var before = await ConnectAsync();
        Play(SmtpMode.Down);

        Assert.That(
            async () => await before.SendAsync(Mail()),
            Throws.InstanceOf<Exception>(),
            "an open connection outlived the server"
        );
        using (var probe = new TcpClient())
            Assert.That(
                async () => await probe.ConnectAsync("127.0.0.1", World.SmtpPort),
                Throws.TypeOf<SocketException>().With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionRefused)
            );

        Play(SmtpMode.Ok);
        await SendAsync(Mail());
        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Down_for_half_of_the_connections_closes_every_second_before_its_banner()
    {
        Play(SmtpMode.Down, share: 0.5m);
        var banners = new List<string>();
        for (var i = 0; i < 4; i++)
            banners.Add(await RawSmtp.BannerAsync(World.SmtpPort));

        Assert.That(banners.Select(banner => banner.Length > 0), Is.EqualTo(new[] { true, false, true, false }));
    }

    [TestCase(SmtpMode.TempFail, 451, ReceptionOutcome.TempFailed)]
    [TestCase(SmtpMode.Reject, 550, ReceptionOutcome.Rejected)]
    public async Task A_refused_mail_has_its_code_is_listed_only_with_the_failed_and_leaves_the_connection_usable(
        SmtpMode mode,
        int code,
        ReceptionOutcome outcome
    )
    {
        Play(mode);
        var client = await ConnectAsync();

        Assert.That(
            async () => await client.SendAsync(Mail(id: "refused@orders.example")),
            Throws.TypeOf<SmtpCommandException>().With.Property("StatusCode").EqualTo((SmtpStatusCode)code)
        );
        Play(SmtpMode.Ok);
        await client.SendAsync(Mail(id: "taken@orders.example"));

        var all = await MailsAsync("?outcome=all");
        Assert.Multiple(async () =>
        {
            Assert.That(
                (await MailsAsync()).Select(mail => mail.GetProperty("messageId").GetString()),
                Is.EqualTo(new[] { "taken@orders.example" })
            );
            Assert.That(
                all.Select(mail => mail.GetProperty("messageId").GetString()),
                Is.EqualTo(new[] { "refused@orders.example", "taken@orders.example" })
            );
            Assert.That(
                all[0].GetProperty("outcome").GetString(),
                Is.EqualTo(char.ToLowerInvariant(outcome.ToString()[0]) + outcome.ToString()[1..])
            );
        });
    }

    [Test]
    public async Task Drop_cuts_the_connection_in_mid_DATA_and_the_mail_is_not_delivered()
    {
        Play(SmtpMode.Drop);
        var client = await ConnectAsync();

        Assert.That(
            async () => await client.SendAsync(Mail(id: "dropped@orders.example")),
            Throws.InstanceOf<Exception>().And.Not.TypeOf<SmtpCommandException>()
        );
        Assert.That(client.IsConnected, Is.False);
        Assert.That(World.Mails.Delivered, Is.Empty);
        Assert.That(
            World.Mails.Everything.Single(),
            Has.Property("Outcome")
                .EqualTo(ReceptionOutcome.Dropped)
                .And.Property("MessageId")
                .EqualTo("dropped@orders.example")
        );
    }

    [Test]
    public async Task Vanish_takes_the_mail_and_cuts_the_connection_instead_of_saying_so()
    {
        Play(SmtpMode.Vanish);
        var client = await ConnectAsync();

        Assert.That(
            async () => await client.SendAsync(Mail(id: "vanished@orders.example")),
            Throws.InstanceOf<Exception>().And.Not.TypeOf<SmtpCommandException>()
        );
        Assert.That(
            await MailsAsync("?messageId=%3Cvanished@orders.example%3E"),
            Has.Length.EqualTo(1),
            "a mail whose 250 was lost is delivered"
        );
        Assert.That(World.Mails.Everything.Single().Outcome, Is.EqualTo(ReceptionOutcome.Vanished));
    }

    [TestCase(SmtpMode.StrictEhlo, 504, ReceptionOutcome.Rejected)]
    [TestCase(SmtpMode.Quota, 550, ReceptionOutcome.Rejected)]
    [TestCase(SmtpMode.Greylist, 450, ReceptionOutcome.TempFailed)]
    [TestCase(SmtpMode.FullMailbox, 452, ReceptionOutcome.TempFailed)]
    public async Task A_mail_refused_before_its_text_is_on_record_without_it(
        SmtpMode mode,
        int code,
        ReceptionOutcome outcome
    )
    {
        Play(mode);
        var client = new SmtpClient { LocalDomain = "bare" };
        await client.ConnectAsync("127.0.0.1", World.SmtpPort, MailKit.Security.SecureSocketOptions.None);

        Assert.That(
            async () => await client.SendAsync(Mail()),
            Throws.TypeOf<SmtpCommandException>().With.Property("StatusCode").EqualTo((SmtpStatusCode)code)
        );
        Assert.That(
            World.Mails.Everything.Single(),
            Has.Property("Outcome").EqualTo(outcome).And.Property("MessageId").Null
        );
        Play(SmtpMode.Ok);
        await client.SendAsync(Mail());
        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(1), "the connection is still good");
        client.Dispose();
    }

    [Test]
    public async Task A_login_is_asked_for_at_MAIL()
    {
        Play(SmtpMode.NeedsAuth);
        var client = await ConnectAsync();

        Assert.That(
            async () => await client.SendAsync(Mail()),
            Throws.TypeOf<MailKit.ServiceNotAuthenticatedException>()
        );
    }

    [Test]
    public async Task EHLO_is_answered_421_and_the_connection_is_closed()
    {
        Play(SmtpMode.NoEhlo);
        using var client = await RawSmtp.ConnectAsync(World.SmtpPort);
        await client.ReplyAsync();

        Assert.That(await client.SayAsync("EHLO shop.example"), Is.EqualTo("421 4.3.2 not now"));
        Assert.That(await client.ReplyAsync(), Is.Empty);
    }

    [Test]
    public async Task A_strict_server_takes_a_full_host_name_and_a_greylist_takes_the_second_try()
    {
        Play(SmtpMode.StrictEhlo);
        using var client = new SmtpClient { LocalDomain = "shop.example" };
        await client.ConnectAsync("127.0.0.1", World.SmtpPort, MailKit.Security.SecureSocketOptions.None);
        await client.SendAsync(Mail());
        Play(SmtpMode.Greylist);

        Assert.That(async () => await client.SendAsync(Mail()), Throws.TypeOf<SmtpCommandException>());
        await client.SendAsync(Mail());
        Assert.That(
            async () => await client.SendAsync(Mail(to: "another@example.com")),
            Throws.TypeOf<SmtpCommandException>()
        );
        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(2));
    }

    [Test]
    public async Task A_stranger_may_say_nothing_but_STARTTLS_and_what_follows_it_in_plain_text_is_forgotten()
    {
        Play(SmtpMode.AuthStartTls);
        using var client = await RawSmtp.GreetedAsync(World.SmtpPort);

        Assert.That(
            await client.SayAsync("MAIL FROM:<a@example.com>"),
            Does.StartWith("530 5.7.0 must issue a STARTTLS")
        );
        Assert.That(await client.SayAsync("AUTH PLAIN AG9yZGVycwBsZXQgbWUgaW4="), Does.StartWith("502"));
        // The second line comes before the handshake: it would be somebody else's.
        await client.SendAsync("STARTTLS\r\nMAIL FROM:<smuggler@example.com>\r\n");
        Assert.That(await client.ReplyAsync(), Does.StartWith("220"));
        using var encrypted = new System.Net.Security.SslStream(client.Stream, false, IsOurs);
        await encrypted.AuthenticateAsClientAsync("localhost");
        await encrypted.WriteAsync("NOOP\r\n"u8.ToArray());
        using var reader = new StreamReader(encrypted);
        Assert.That(await reader.ReadLineAsync(), Does.StartWith("250 2.0.0 still here"));
    }

    [TestCase("PLAIN", "let me in", true)]
    [TestCase("LOGIN", "let me in", true)]
    [TestCase("PLAIN", "let me out", false)]
    [TestCase("LOGIN", "let me out", false)]
    public async Task A_login_is_right_with_the_users_password_only(string mechanism, string password, bool isRight)
    {
        Play(SmtpMode.AuthTls);
        using var client = new SmtpClient { ServerCertificateValidationCallback = IsOurs };
        await client.ConnectAsync("127.0.0.1", World.SmtpPort, MailKit.Security.SecureSocketOptions.SslOnConnect);
        var login = new System.Net.NetworkCredential("orders", password);
        MailKit.Security.SaslMechanism sasl =
            mechanism == "PLAIN"
                ? new MailKit.Security.SaslMechanismPlain(login)
                : new MailKit.Security.SaslMechanismLogin(login);

        Assert.That(
            async () => await client.AuthenticateAsync(sasl),
            isRight ? Throws.Nothing : Throws.TypeOf<MailKit.Security.AuthenticationException>()
        );
        Assert.That(async () => await client.SendAsync(Mail()), isRight ? Throws.Nothing : Throws.Exception);
        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(isRight ? 1 : 0));
    }

    [Test]
    public async Task The_fourth_connection_is_turned_away_until_one_of_three_is_closed()
    {
        Play(SmtpMode.FewConnections);
        var three = new List<RawSmtp>();
        for (var i = 0; i < 3; i++)
            three.Add(await RawSmtp.GreetedAsync(World.SmtpPort));

        Assert.That(await RawSmtp.BannerAsync(World.SmtpPort), Does.StartWith("421 4.7.0"));
        three[0].Dispose();
        Assert.That(
            () => RawSmtp.BannerAsync(World.SmtpPort),
            Does.StartWith("220").After(60).Seconds.PollEvery(20).MilliSeconds
        );
        three.ForEach(client => client.Dispose());
    }

    [Test]
    public async Task A_mail_beyond_the_size_limit_is_refused_at_MAIL_or_after_its_text()
    {
        Play(SmtpMode.SizeLimit);
        using var client = await RawSmtp.GreetedAsync(World.SmtpPort);

        Assert.That(await client.SayAsync("MAIL FROM:<a@example.com> SIZE=501"), Does.StartWith("552 5.3.4"));
        Assert.That(await client.SayAsync("MAIL FROM:<a@example.com> SIZE=500"), Does.StartWith("250"));
        await client.SayAsync("RCPT TO:<b@example.com>");
        await client.SayAsync("DATA");
        await client.SendAsync("Subject: x\r\n\r\n" + new string('x', 500) + "\r\n.\r\n");
        Assert.That(await client.ReplyAsync(), Does.StartWith("552 5.3.4"));
        Assert.That(World.Mails.DeliveredCount, Is.Zero);
    }

    [Test]
    public async Task The_reply_to_what_a_mode_accepts_is_lost_on_request()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Greylist) { LoseReply = true });
        var client = await ConnectAsync();

        Assert.That(async () => await client.SendAsync(Mail()), Throws.TypeOf<SmtpCommandException>());
        Assert.That(
            async () => await client.SendAsync(Mail()),
            Throws.InstanceOf<Exception>().And.Not.TypeOf<SmtpCommandException>()
        );
        Assert.That(World.Mails.Everything[^1].Outcome, Is.EqualTo(ReceptionOutcome.Vanished));
    }

    [Test]
    public async Task A_share_of_one_fifth_hits_every_fifth_mail_and_setting_it_again_counts_from_one()
    {
        Play(SmtpMode.Reject, share: 0.2m);
        var client = await ConnectAsync();
        var first = await RefusedAsync(client, mails: 11);
        Play(SmtpMode.Reject, share: 0.2m);
        var second = await RefusedAsync(client, mails: 5);

        Assert.That(first, Is.EqualTo(new[] { 5, 10 }));
        Assert.That(second, Is.EqualTo(new[] { 5 }));
    }

    private static bool IsOurs(
        object sender,
        System.Security.Cryptography.X509Certificates.X509Certificate? certificate,
        System.Security.Cryptography.X509Certificates.X509Chain? chain,
        System.Net.Security.SslPolicyErrors errors
    ) => certificate?.Issuer == "CN=The outside world's authority";

    private static async Task<List<int>> RefusedAsync(SmtpClient client, int mails)
    {
        var refused = new List<int>();
        for (var number = 1; number <= mails; number++)
        {
            try
            {
                await client.SendAsync(Mail());
            }
            catch (SmtpCommandException)
            {
                refused.Add(number);
            }
        }

        return refused;
    }
}
