using MimeKit;
using Orders.Contracts;
using Orders.Workers.Email;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

public sealed class OrderMailTests
{
    private const string Id = "email.1@orders.example";
    private static readonly MailboxAddress From = new("Orders", "orders@orders.example");

    [Test]
    public void A_confirmation_names_order_articles_and_total()
    {
        using var mail = OrderMail.Confirmation(SampleDetails.Of(), From, Id);

        Assert.That(mail.Subject, Is.EqualTo("Your order O-00001234"));
        Assert.That(mail.MessageId, Is.EqualTo(Id));
        Assert.That(
            mail.TextBody,
            Does.Contain("Zoë Müller").And.Contain("2 × MUG-BLUE").And.Contain("€34.50").And.Contain("Total: €1,034.50")
        );
        Assert.That(mail.HtmlBody, Does.Contain("MUG-BLUE").And.Contain("1,034.50"));
    }

    [Test]
    public void An_apology_names_what_is_short()
    {
        using var mail = OrderMail.Apology(SampleDetails.Of(), [new StockShortage("MUG-BLUE", 2, 1)], From, Id);

        Assert.That(mail.Subject, Is.EqualTo("Your order O-00001234 cannot be filled"));
        Assert.That(mail.TextBody, Does.Contain("Blue mug (2 × MUG-BLUE): 1 in stock"));
    }

    [TestCase("de", "1.034,50\u00a0€")]
    [TestCase("de-AT", "€\u00a01.034,50")]
    [TestCase("de-CH", "€\u00a01’034.50")]
    public void Mails_are_in_the_language_of_the_customer_and_amounts_in_the_format_of_his_country(
        string locale,
        string total
    )
    {
        var order = SampleDetails.Of(locale: locale);
        using var confirmation = Read(OrderMail.Confirmation(order, From, Id));
        using var apology = Read(OrderMail.Apology(order, [new StockShortage("MUG-BLUE", 2, 1)], From, Id));
        using var cancellation = Read(OrderMail.Cancellation(order, From, Id));

        Assert.That(confirmation.Subject, Is.EqualTo("Ihre Bestellung O-00001234"));
        Assert.That(
            confirmation.TextBody,
            Does.StartWith("Guten Tag Zoë Müller,").And.Contain($"Summe: {total}").And.Not.Contain("order")
        );
        Assert.That(confirmation.HtmlBody, Does.Contain($"<html lang=\"{locale}\">").And.Contain("Summe"));
        Assert.That(confirmation.Body!.Headers[HeaderId.ContentLanguage], Is.EqualTo(locale));
        Assert.That(apology.Subject, Is.EqualTo("Ihre Bestellung O-00001234 kann nicht ausgeführt werden"));
        Assert.That(apology.TextBody, Does.Contain("Blue mug (2 × MUG-BLUE): 1 auf Lager"));
        Assert.That(cancellation.Subject, Is.EqualTo("Ihre Bestellung O-00001234 ist storniert"));
        Assert.That(cancellation.TextBody, Does.Contain("wurde storniert"));
    }

    [TestCase("Eve\r\nBcc: victim@example.com")]
    [TestCase("Eve\nBcc: victim@example.com")]
    [TestCase("Eve\rBcc: victim@example.com")]
    [TestCase("Eve\" <victim@example.com>, \"x")]
    [TestCase("Eve\u2028Bcc: victim@example.com")]
    public void A_name_cannot_add_a_header_or_a_recipient(string name)
    {
        using var read = Read(OrderMail.Confirmation(SampleDetails.Of(name), From, Id));

        Assert.That(read.Bcc, Is.Empty);
        Assert.That(read.GetRecipients().Select(r => r.Address), Is.EqualTo(new[] { "zoe@example.com" }));
        Assert.That(read.Headers.Select(h => h.Field), Has.None.EqualTo("Bcc"));
    }

    [TestCase("zoe@example.com\r\nBcc: victim@example.com")]
    [TestCase("zoe@example.com, victim@example.com")]
    [TestCase("no address")]
    public void An_address_that_is_not_one_is_a_permanent_fault(string email) =>
        Assert.That(
            () => OrderMail.Confirmation(SampleDetails.Of(email: email), From, Id),
            Throws.TypeOf<PermanentFaultException>()
        );

    [TestCase("Nguyễn Thị Phương")]
    [TestCase("王小明")]
    [TestCase("محمد")]
    public void A_name_of_any_script_arrives_as_it_was_typed(string name)
    {
        using var read = Read(OrderMail.Confirmation(SampleDetails.Of(name), From, Id));

        Assert.That(read.To.Mailboxes.Single().Name, Is.EqualTo(name));
        Assert.That(read.TextBody, Does.Contain(name));
    }

    [Test]
    public void What_a_customer_typed_is_text_in_html()
    {
        using var mail = OrderMail.Confirmation(
            SampleDetails.Of("<script>alert(1)</script>", article: "<b>\"mug\" & co</b>"),
            From,
            Id
        );

        Assert.That(mail.HtmlBody, Does.Not.Contain("<script>").And.Not.Contain("<b>\"mug\""));
        Assert.That(mail.HtmlBody, Does.Contain("&lt;script&gt;").And.Contain("&amp; co"));
    }

    private static MimeMessage Read(MimeMessage mail)
    {
        using var wire = new MemoryStream();
        mail.WriteTo(wire);
        mail.Dispose();
        wire.Position = 0;
        return MimeMessage.Load(wire);
    }
}
