using System.Text;
using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Tests.Mails;

public sealed class MailDecodingTests
{
    [TestCase("=?utf-8?q?Ihre_Bestellung_f=C3=BCr_Zo=C3=AB?=", "Ihre Bestellung für Zoë")]
    [TestCase("=?UTF-8?B?5oKo55qE6KiC5Zau?=", "您的訂單")]
    [TestCase("=?iso-8859-1?q?Gr=FC=DFe?=", "Grüße")]
    [TestCase("=?koi8-r?B?+sHLwdo=?=", "Заказ")]
    [TestCase("=?utf-8?q?one?=\r\n =?utf-8?q?_two?=", "one two")]
    public void An_encoded_subject_is_decoded(string header, string subject) =>
        Assert.That(Decode($"Subject: {header}\r\n\r\ntext\r\n").Subject, Is.EqualTo(subject));

    [TestCase("text/plain; charset=utf-8", "quoted-printable", "Gr=C3=BC=C3=9Fe =\r\nan Zo=C3=AB", "Grüße an Zoë")]
    [TestCase("text/plain; charset=iso-8859-1", "quoted-printable", "Gr=FC=DFe", "Grüße")]
    [TestCase("text/plain; charset=windows-1252", "quoted-printable", "=80 42", "€ 42")]
    [TestCase("text/plain; charset=utf-8", "base64", "R3LDvMOfZQ==", "Grüße")]
    public void An_encoded_body_is_decoded(string type, string encoding, string body, string text) =>
        Assert.That(
            Decode($"Content-Type: {type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n").Text,
            Is.EqualTo(text)
        );

    [Test]
    public void Of_a_multipart_alternative_the_plain_text_is_read()
    {
        var mail = Decode(
            "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
                + "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n--b--\r\n"
        );

        Assert.That(mail.Text, Is.EqualTo("plain"));
    }

    [Test]
    public void Of_a_mail_without_plain_text_the_HTML_source_is_read() =>
        Assert.That(Decode("Content-Type: text/html\r\n\r\n<p>rich</p>\r\n").Text, Is.EqualTo("<p>rich</p>"));

    [TestCase("")]
    [TestCase("\r\n")]
    [TestCase("no header at all\r\n")]
    [TestCase("\0\u0001\u0002\r\n\r\n")]
    [TestCase("Message-ID: <>\r\n\r\n")]
    public void What_is_hardly_a_mail_is_decoded_all_the_same(string content) =>
        Assert.That(Decode(content), Has.Property("MessageId").Null);

    private static DecodedMail Decode(string content) => MailDecoder.Decode(Encoding.Latin1.GetBytes(content));
}
