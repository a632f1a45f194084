using MailKit.Net.Smtp;
using Orders.Workers.Email.Smtp;

namespace Orders.Workers.Tests.Email;

/// <summary>What replies of real mail servers concern, by command, code and enhanced code.</summary>
public sealed class SmtpRepliesTests
{
    [TestCase(SmtpErrorCode.SenderNotAccepted, 550, "5.4.5 Daily user sending limit exceeded", "Everybody")]
    [TestCase(
        SmtpErrorCode.SenderNotAccepted,
        550,
        "5.7.60 Client does not have permissions to send as this sender",
        "Everybody"
    )]
    [TestCase(SmtpErrorCode.SenderNotAccepted, 452, "4.3.1 Insufficient system storage", "Everybody")]
    [TestCase(SmtpErrorCode.SenderNotAccepted, 552, "5.3.4 Message size exceeds fixed limit", "Mail")]
    [TestCase(SmtpErrorCode.SenderNotAccepted, 550, "5.6.7 SMTPUTF8 is required", "Mail")]
    [TestCase(
        SmtpErrorCode.RecipientNotAccepted,
        550,
        "5.1.1 <a@b.example>: Recipient address rejected: User unknown",
        "Mail"
    )]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 550, "no such user", "Mail")]
    [TestCase(
        SmtpErrorCode.RecipientNotAccepted,
        550,
        "5.1.1 <\"relay access denied\"@b.example>: User unknown",
        "Mail"
    )]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 554, "5.7.1 <a@b.example>: Relay access denied", "Everybody")]
    [TestCase(
        SmtpErrorCode.RecipientNotAccepted,
        504,
        "5.5.2 <3f2a9c>: Helo command rejected: need fully-qualified hostname",
        "Everybody"
    )]
    [TestCase(
        SmtpErrorCode.RecipientNotAccepted,
        554,
        "5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
        "Everybody"
    )]
    [TestCase(
        SmtpErrorCode.RecipientNotAccepted,
        450,
        "4.2.0 <a@b.example>: Recipient address rejected: Greylisted",
        "Recipient"
    )]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 452, "4.2.2 Mailbox full", "Recipient")]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 451, "4.3.0 <a@b.example>: Temporary lookup failure", "Server")]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 421, "4.7.0 Try again later, closing connection", "Server")]
    [TestCase(SmtpErrorCode.RecipientNotAccepted, 530, "5.7.0 Must issue a STARTTLS command first", "Everybody")]
    [TestCase(SmtpErrorCode.MessageNotAccepted, 550, "5.4.5 Daily sending quota exceeded", "Everybody")]
    [TestCase(SmtpErrorCode.MessageNotAccepted, 550, "5.7.1 refused", "Mail")]
    [TestCase(SmtpErrorCode.MessageNotAccepted, 451, "4.3.0 not now", "Server")]
    public void A_refusal_concerns(SmtpErrorCode command, int code, string text, string scope) =>
        Assert.That(
            SmtpReplies.ScopeOf(new SmtpCommandException(command, (SmtpStatusCode)code, text)).ToString(),
            Is.EqualTo(scope)
        );
}
