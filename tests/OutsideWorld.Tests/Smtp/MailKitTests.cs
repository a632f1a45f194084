using MimeKit;
using MimeKit.Utils;

namespace Orders.OutsideWorld.Tests.Smtp;

/// <summary>The client the email step uses.</summary>
public sealed class MailKitTests : OutsideWorldFixture
{
    [Test]
    public async Task A_mail_sent_by_MailKit_is_listed_with_its_id_recipient_subject_and_text()
    {
        await SendAsync(Mail("Your order 4711", "Thank you.\r\nSee you.", id: "order-4711@orders.example"));

        var mail = (await MailsAsync()).Single();
        Assert.Multiple(() =>
        {
            Assert.That(mail.GetProperty("messageId").GetString(), Is.EqualTo("order-4711@orders.example"));
            Assert.That(mail.GetProperty("to").GetString(), Is.EqualTo("zoe@example.com"));
            Assert.That(mail.GetProperty("subject").GetString(), Is.EqualTo("Your order 4711"));
            Assert.That(mail.GetProperty("text").GetString(), Is.EqualTo("Thank you.\nSee you."));
            Assert.That(
                mail.GetProperty("receivedAt").GetDateTimeOffset(),
                Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1))
            );
            Assert.That(
                mail.EnumerateObject().Select(member => member.Name),
                Is.EqualTo(new[] { "messageId", "to", "subject", "receivedAt", "text" })
            );
        });
    }

    [Test]
    public async Task Two_mails_on_one_connection_are_two_mails()
    {
        var client = await ConnectAsync();
        await client.SendAsync(Mail("first"));
        await client.SendAsync(Mail("second"));

        Assert.That(World.Mails.Delivered.Select(mail => mail.Subject), Is.EqualTo(new[] { "first", "second" }));
    }

    [TestCase(EncodingConstraint.SevenBit)]
    [TestCase(EncodingConstraint.EightBit)]
    public async Task Subjects_and_texts_beyond_ASCII_arrive_as_they_were_written(EncodingConstraint encoding)
    {
        const string Subject = "Ваш заказ, 您的訂單, تم الطلب, Grüße an Zoë – €42";
        const string Text = "Grüß Gott, Zoë!\nСпасибо за заказ.\n感謝您的訂購。\n👍";
        var mail = Mail(Subject, Text);
        mail.Prepare(encoding);
        await SendAsync(mail);

        Assert.That(
            World.Mails.Delivered.Single(),
            Has.Property("Subject").EqualTo(Subject).And.Property("Text").EqualTo(Text)
        );
    }

    [Test]
    public async Task Lines_that_begin_with_dots_arrive_with_the_dots_they_had()
    {
        const string Text = ".\n..\n.hidden\n...three\nend.";
        await SendAsync(Mail(text: Text));

        Assert.That(World.Mails.Delivered.Single().Text, Is.EqualTo(Text));
    }

    [Test]
    public async Task An_international_address_is_taken_with_SMTPUTF8()
    {
        await SendAsync(Mail(to: "zoë@müller.example"));

        Assert.That(
            World.Mails.Delivered.Single().Recipients,
            Is.EqualTo(new[] { "zoë@müller.example" }).Or.EqualTo(new[] { "zoë@xn--mller-kva.example" })
        );
    }

    [Test]
    public async Task The_same_Message_ID_twice_is_listed_twice()
    {
        var id = MimeUtils.GenerateMessageId();
        await SendAsync(Mail(id: id));
        await SendAsync(Mail(id: id));

        Assert.That(await MailsAsync($"?messageId={Uri.EscapeDataString(id)}"), Has.Length.EqualTo(2));
    }

    [Test]
    public async Task A_mail_to_several_recipients_is_one_mail_found_by_each()
    {
        var mail = Mail(to: "one@example.com");
        mail.Bcc.Add(new MailboxAddress("", "two@example.com"));
        await SendAsync(mail);

        Assert.Multiple(async () =>
        {
            Assert.That(await MailsAsync(), Has.Length.EqualTo(1));
            Assert.That(await MailsAsync("?to=TWO@example.com"), Has.Length.EqualTo(1));
            Assert.That(await MailsAsync("?to=wo@example.com"), Is.Empty);
        });
    }

    [Test]
    public async Task Many_mails_over_a_few_connections_are_all_kept()
    {
        const int Connections = 8,
            MailsEach = 100;
        await Task.WhenAll(
            Enumerable
                .Range(0, Connections)
                .Select(async _ =>
                {
                    var client = new MailKit.Net.Smtp.SmtpClient();
                    await client.ConnectAsync("127.0.0.1", World.SmtpPort, MailKit.Security.SecureSocketOptions.None);
                    for (var i = 0; i < MailsEach; i++)
                        await client.SendAsync(Mail());
                    await client.DisconnectAsync(quit: true);
                    client.Dispose();
                })
        );

        Assert.That(
            World.Mails.Delivered.Select(mail => mail.MessageId).Distinct().Count(),
            Is.EqualTo(Connections * MailsEach)
        );
    }
}
