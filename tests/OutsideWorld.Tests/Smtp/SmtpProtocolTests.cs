using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Tests.Smtp;

/// <summary>RFC 5321, spoken by hand.</summary>
public sealed class SmtpProtocolTests : OutsideWorldFixture
{
    [Test]
    public async Task A_pipelined_conversation_in_one_packet_gets_every_reply_in_order()
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);
        await smtp.SendAsync(
            "MAIL FROM:<a@example.com> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: one\r\n\r\n..one\r\n.\r\n"
                + "MAIL FROM:<>\r\nRCPT TO:<\"c >d\"@example.com>\r\nRCPT TO:<@relay.example:e@example.com>\r\nDATA\r\nSubject: two\r\n\r\ntwo\r\n.\r\nNOOP\r\nQUIT\r\n"
        );
        var codes = new List<string>();
        for (var reply = await smtp.ReplyAsync(); reply.Length > 0; reply = await smtp.ReplyAsync())
            codes.Add(reply[..3]);

        Assert.That(
            codes,
            Is.EqualTo(new[] { "250", "250", "354", "250", "250", "250", "250", "354", "250", "250", "221" })
        );
        Assert.That(World.Mails.Delivered.Select(mail => mail.Text), Is.EqualTo(new[] { ".one", "two" }));
        Assert.That(World.Mails.Delivered[1].To, Is.EqualTo("\"c >d\"@example.com, e@example.com"));
    }

    [TestCase("RCPT TO:<b@example.com>", "503")]
    [TestCase("DATA", "503")]
    [TestCase("EHLO", "501")]
    [TestCase("MAIL FROM:a@example.com", "501")]
    [TestCase("MAIL FROM:<a@example.com", "501")]
    [TestCase("MAIL FROM:<a@example.com>SIZE=1", "501")]
    [TestCase("MAIL FROM:<nobody>", "553")]
    [TestCase("MAIL FROM:<a@example.com> SIZE=10485761", "552")]
    [TestCase("MAIL FROM:<a@example.com> SIZE=-1", "501")]
    [TestCase("MAIL FROM:<a@example.com> BODY=BINARYMIME", "555")]
    [TestCase("VRFY zoe", "252")]
    [TestCase("HELP", "214")]
    [TestCase("noop", "250")]
    [TestCase("RSET", "250")]
    [TestCase("STARTTLS", "502")]
    [TestCase("GET / HTTP/1.1", "500")]
    [TestCase("", "500")]
    public async Task A_command_out_of_place_or_shape_gets_its_code_and_the_session_goes_on(string command, string code)
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);

        Assert.That(await smtp.SayAsync(command), Does.StartWith(code));
        Assert.That(await smtp.SayAsync("NOOP"), Does.StartWith("250"));
    }

    [Test]
    public async Task MAIL_before_EHLO_and_a_second_MAIL_are_refused()
    {
        using var smtp = await RawSmtp.ConnectAsync(World.SmtpPort);
        Assert.That(await smtp.ReplyAsync(), Does.StartWith("220"));
        Assert.That(await smtp.SayAsync("MAIL FROM:<a@example.com>"), Does.StartWith("503"));
        Assert.That(await smtp.SayAsync("HELO test"), Does.StartWith("250"));
        Assert.That(await smtp.SayAsync("MAIL FROM:<a@example.com>"), Does.StartWith("250"));
        Assert.That(await smtp.SayAsync("MAIL FROM:<a@example.com>"), Does.StartWith("503"));
    }

    [Test]
    public async Task A_bare_line_feed_does_not_end_a_mail()
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);
        await BeginAsync(smtp);
        await smtp.SendAsync("Subject: x\r\n\r\nbefore\n.\nMAIL FROM:<smuggler@example.com>\n.\r\nafter\r\n.\r\n");

        Assert.That(await smtp.ReplyAsync(), Does.StartWith("250"));
        Assert.That(World.Mails.Delivered.Single().Text, Does.Contain("smuggler").And.EndsWith("after"));
    }

    [Test]
    public async Task A_line_of_1000_bytes_is_taken_and_a_longer_one_refused()
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);
        foreach (var (length, code) in new[] { (998, "250"), (999, "500"), (50_000, "500") })
        {
            await BeginAsync(smtp);
            await smtp.SendAsync("Subject: x\r\n\r\n" + new string('x', length) + "\r\n.\r\n");
            Assert.That(await smtp.ReplyAsync(), Does.StartWith(code), $"{length} characters and CRLF");
        }

        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(1));
        Assert.That(await smtp.SayAsync("NOOP " + new string('x', 100_000)), Does.StartWith("500"));
        Assert.That(await smtp.SayAsync("NOOP"), Does.StartWith("250"));
    }

    [Test]
    public async Task A_mail_beyond_10_MiB_is_refused_and_the_next_one_taken()
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);
        await BeginAsync(smtp);
        var line = new string('x', 900) + "\r\n";
        await smtp.SendAsync(
            "Subject: large\r\n\r\n"
                + string.Concat(Enumerable.Repeat(line, (10 * 1024 * 1024 / line.Length) + 1))
                + ".\r\n"
        );

        Assert.That(await smtp.ReplyAsync(), Does.StartWith("552"));
        await BeginAsync(smtp);
        await smtp.SendAsync("Subject: small\r\n\r\nsmall\r\n.\r\n");
        Assert.That(await smtp.ReplyAsync(), Does.StartWith("250"));
        Assert.That(World.Mails.Delivered.Select(mail => mail.Subject), Is.EqualTo(new[] { "small" }));
    }

    [Test]
    public async Task A_client_that_leaves_in_mid_DATA_has_delivered_nothing()
    {
        using (var smtp = await RawSmtp.GreetedAsync(World.SmtpPort))
        {
            await BeginAsync(smtp);
            await smtp.SendAsync("Message-ID: <half@orders.example>\r\n\r\nhalf a ma");
        }

        Assert.That(() => World.Mails.Everything, Has.Count.EqualTo(1).After(60).Seconds.PollEvery(10).MilliSeconds);
        Assert.That(
            World.Mails.Everything.Single(),
            Has.Property("Outcome")
                .EqualTo(ReceptionOutcome.Abandoned)
                .And.Property("MessageId")
                .EqualTo("half@orders.example")
        );
        Assert.That(World.Mails.Delivered, Is.Empty);
    }

    [Test]
    public async Task The_201st_session_is_turned_away_and_a_place_set_free_is_given_again()
    {
        var sessions = new List<RawSmtp>();
        for (var i = 0; i < 200; i++)
        {
            sessions.Add(await RawSmtp.ConnectAsync(World.SmtpPort));
            Assert.That(await sessions[^1].ReplyAsync(), Does.StartWith("220"));
        }

        using (var late = await RawSmtp.ConnectAsync(World.SmtpPort))
            Assert.That(await late.ReplyAsync(), Does.StartWith("421"));
        sessions[0].Dispose();
        Assert.That(BannerAsync, Does.StartWith("220").After(60).Seconds.PollEvery(20).MilliSeconds);
        sessions.ForEach(session => session.Dispose());

        async Task<string> BannerAsync()
        {
            using var next = await RawSmtp.ConnectAsync(World.SmtpPort);
            return await next.ReplyAsync();
        }
    }

    [Test]
    public async Task A_client_that_talks_nonsense_is_shown_the_door()
    {
        using var smtp = await RawSmtp.GreetedAsync(World.SmtpPort);
        for (var i = 0; i < 20; i++)
            Assert.That(await smtp.SayAsync("WHAT"), Does.StartWith("500"));

        Assert.That(await smtp.ReplyAsync(), Does.StartWith("421"));
        Assert.That(await smtp.ReplyAsync(), Is.Empty);
    }

    private static async Task BeginAsync(RawSmtp smtp)
    {
        Assert.That(await smtp.SayAsync("MAIL FROM:<a@example.com>"), Does.StartWith("250"));
        Assert.That(await smtp.SayAsync("RCPT TO:<b@example.com>"), Does.StartWith("250"));
        Assert.That(await smtp.SayAsync("DATA"), Does.StartWith("354"));
    }
}
