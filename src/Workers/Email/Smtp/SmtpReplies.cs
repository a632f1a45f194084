using System.Text.RegularExpressions;
using MailKit.Net.Smtp;

namespace Orders.Workers.Email.Smtp;

/// <summary>What a refusal by the mail server concerns.</summary>
internal enum RefusalScope
{
    /// <summary>This mail, for good: another try fails too.</summary>
    Mail,

    /// <summary>This recipient, for now.</summary>
    Recipient,

    /// <summary>The server, for now: out of resources, or it closes the session.</summary>
    Server,

    /// <summary>
    /// Everybody who sends as we do: our host name, login or sender is refused.
    /// It lasts until somebody changes a configuration, or a quota starts anew.
    /// </summary>
    Everybody,
}

/// <summary>
/// Says what a refusal concerns, by the command that was refused, the reply code (RFC 5321, RFC 4954)
/// and the enhanced code (RFC 3463).
/// </summary>
internal static partial class SmtpReplies
{
    // 530 authentication required, 534 mechanism too weak, 535 credentials invalid, 538 encryption required,
    // 503 bad sequence of commands (AUTH is missing), 504 parameter not accepted (the name in EHLO).
    private static readonly int[] LoginAndGreeting = [530, 534, 535, 538, 503, 504];

    // Postfix refuses client, host name and sender only at RCPT (smtpd_delay_reject), and says which of them it means.
    private static readonly string[] RefusedLate =
    [
        "client host rejected",
        "helo command rejected",
        "sender address rejected",
        "relay access denied",
        "relaying denied",
        "unable to relay",
    ];

    /// <summary>What a refusal of MAIL FROM, RCPT TO, DATA or of the mail's text concerns.</summary>
    public static RefusalScope ScopeOf(SmtpCommandException reply)
    {
        var code = (int)reply.StatusCode;
        var isTransient = code < 500;
        var (subject, detail) = EnhancedCode(reply.Message);
        // Without what stands in angle brackets: a customer must not be able to write these phrases into an address.
        var said = BracketPattern().Replace(reply.Message, "");
        if (code == (int)SmtpStatusCode.ServiceNotAvailable)
            return RefusalScope.Server;
        // x.4.5: the system is congested or, as large providers use it, the quota of the sender is used up.
        // It means the same at each command.
        if (
            LoginAndGreeting.Contains(code)
            || (subject, detail) == (4, 5)
            || RefusedLate.Any(phrase => said.Contains(phrase, StringComparison.OrdinalIgnoreCase))
        )
            return RefusalScope.Everybody;
        return reply.ErrorCode switch
        {
            // MAIL FROM also publishes the mail's size (x.2.3, x.3.4) and encoding (x.6.x): these concern this mail.
            SmtpErrorCode.SenderNotAccepted
                when !isTransient && ((subject, detail) is (2, 3) or (3, 4) || subject == 6 || code is 552 or 555) =>
                RefusalScope.Mail,
            SmtpErrorCode.SenderNotAccepted => RefusalScope.Everybody,
            // x.3.x: the mail system itself; 454: it cannot look up or encrypt just now.
            SmtpErrorCode.RecipientNotAccepted when isTransient => subject == 3 || code == 454
                ? RefusalScope.Server
                : RefusalScope.Recipient,
            _ => isTransient ? RefusalScope.Server : RefusalScope.Mail,
        };
    }

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex BracketPattern();

    // The first word of the text, as in "4.2.2 mailbox full". No enhanced code is (0, 0), which no rule above matches.
    private static (int Subject, int Detail) EnhancedCode(string text)
    {
        var word = text.AsSpan().TrimStart();
        var end = word.IndexOfAny(" \r\n");
        var parts = (end < 0 ? word : word[..end]).ToString().Split('.');
        return
            parts.Length == 3
            && parts[0] is "2" or "4" or "5"
            && int.TryParse(parts[1], out var subject)
            && int.TryParse(parts[2], out var detail)
            ? (subject, detail)
            : (0, 0);
    }
}
