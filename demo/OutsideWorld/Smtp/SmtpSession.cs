using System.Text;
using System.Text.Unicode;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// One client's conversation: the commands of RFC 5321 with PIPELINING, 8BITMIME, SMTPUTF8 and SIZE, and where they are
/// required STARTTLS and AUTH.
/// What happens to a mail is the business of <see cref="MailHandler"/>.
/// </summary>
internal sealed class SmtpSession(
    SmtpServerConnection connection,
    MailHandler room,
    SmtpCertificates certificates,
    OutsideWorldOptions options
)
{
    private string? hello;
    private bool isLoggedIn;
    private int nonsense;
    private SmtpEnvelope? envelope;

    private string Greeting
    {
        get
        {
            var offers = room.Offers(connection.IsEncrypted);
            return "250-outside-world\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
                + (offers.StartTls ? "250-STARTTLS\r\n" : "")
                + (offers.Login ? $"250-{SmtpLogin.Mechanisms}\r\n" : "")
                + $"250 SIZE {offers.Size}";
        }
    }

    /// <summary>Talks until the client leaves, or is cut off.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The server goes down, or the client was silent for too
    /// long.</exception>
    public async Task RunAsync()
    {
        connection.Reply("220 outside-world ESMTP");
        var goesOn = true;
        while (goesOn)
        {
            var line = await connection.ReadLineAsync();
            if (line.IsEnd)
                return;
            goesOn =
                line.IsTooLong || !Utf8.IsValid(line.Bytes.Span)
                    ? Nonsense(
                        line.IsTooLong ? "500 5.5.2 line too long: at most 1000 bytes" : "500 5.5.2 expected UTF-8"
                    )
                    : await ObeyAsync(Encoding.UTF8.GetString(line.Bytes.Span));
        }

        await connection.FlushAsync();
    }

    private async ValueTask<bool> ObeyAsync(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var (verb, argument) = space < 0 ? (line, "") : (line[..space], line[(space + 1)..].Trim(' '));
        switch (verb.ToUpperInvariant())
        {
            case "EHLO":
                return Hello(argument, Greeting);
            case "HELO":
                return Hello(argument, "250 outside-world");
            case "MAIL":
                return Mail(argument);
            case "RCPT":
                return Recipient(argument);
            case "DATA":
                return await DataAsync(argument);
            case "RSET":
                envelope = null;
                return Say("250 2.0.0 forgotten");
            case "NOOP":
                return Say("250 2.0.0 still here");
            case "VRFY":
                return Say("252 2.5.0 send and see");
            case "HELP":
                return Say("214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT");
            case "QUIT":
                connection.Reply("221 2.0.0 bye");
                return false;
            case "STARTTLS" when room.Offers(connection.IsEncrypted).StartTls:
                return await StartTlsAsync(argument);
            case "AUTH" when room.Offers(connection.IsEncrypted).Login:
                return await LogInAsync(argument);
            case "EXPN" or "AUTH" or "STARTTLS" or "BDAT":
                return Nonsense("502 5.5.1 not offered");
            default:
                return Nonsense("500 5.5.2 expected EHLO, HELO, MAIL, RCPT, DATA, RSET, NOOP, VRFY, HELP or QUIT");
        }
    }

    private bool Hello(string name, string greeting)
    {
        if (name.Length == 0)
            return Nonsense("501 5.5.4 expected a name after EHLO or HELO");
        if (room.RefusesHello() is { } refusal)
        {
            connection.Reply(refusal);
            return false;
        }

        (hello, envelope) = (name, null);
        return Say(greeting);
    }

    private async ValueTask<bool> StartTlsAsync(string argument)
    {
        if (argument.Length > 0)
            return Nonsense("501 5.5.4 expected STARTTLS alone");
        connection.Reply("220 2.0.0 go on encrypted");
        await connection.EncryptAsync(certificates.Server);
        // RFC 3207, 4.2: what was said before does not count.
        (hello, envelope, nonsense) = (null, null, 0);
        return true;
    }

    private async ValueTask<bool> LogInAsync(string argument)
    {
        if (hello is null || isLoggedIn || envelope is not null)
            return Nonsense("503 5.5.1 expected EHLO first, and AUTH once, before MAIL");
        if (await new SmtpLogin(connection, options).TryAsync(argument) is not { } done)
            return Nonsense("504 5.5.4 expected AUTH PLAIN, LOGIN or XOAUTH2");
        isLoggedIn = done;
        nonsense = done ? 0 : nonsense + 1;
        return true;
    }

    private bool Mail(string argument)
    {
        if (hello is null)
            return Nonsense("503 5.5.1 expected EHLO first");
        if (envelope is not null)
            return Nonsense("503 5.5.1 expected RCPT, DATA or RSET: a mail has been begun");
        if (!SmtpPath.TryParse(argument, "FROM:", out var sender))
            return Nonsense("501 5.5.4 expected MAIL FROM:<address>");
        if (room.RefusesStranger(connection.IsEncrypted, isLoggedIn) is { } strange)
            return Say(strange);
        if (Refusal(sender.Parameters, room.Offers(connection.IsEncrypted).Size) is { } refusal)
            return Say(refusal);
        var utf8 = sender.Parameters.Contains("SMTPUTF8", StringComparer.OrdinalIgnoreCase);
        if (sender.IsInternational && !utf8)
            return Say("553 5.6.7 expected SMTPUTF8 with an international address");
        if (sender.Address.Length > 0 && !sender.IsMailbox)
            return Say("553 5.1.7 expected local-part@domain");
        var mode = room.Begin();
        if (room.RefusesSender(mode) is { } refused)
            return Say(refused);
        envelope = new SmtpEnvelope(utf8, mode);
        return Say("250 2.1.0 sender taken");
    }

    private bool Recipient(string argument)
    {
        if (envelope is null)
            return Nonsense("503 5.5.1 expected MAIL first");
        if (!SmtpPath.TryParse(argument, "TO:", out var recipient))
            return Nonsense("501 5.5.4 expected RCPT TO:<address>");
        if (recipient.Parameters.Length > 0)
            return Say("555 5.5.4 expected no parameters after RCPT TO:<address>");
        if (!recipient.IsMailbox)
            return Say("553 5.1.3 expected local-part@domain");
        if (recipient.IsInternational && !envelope.AllowsUtf8)
            return Say("553 5.6.7 expected SMTPUTF8 with an international address");
        if (envelope.Recipients.Count == SmtpLimits.Recipients)
            return Say("452 4.5.3 at most 100 recipients a mail");
        if (room.RefusesRecipient(envelope.Mode, hello!, recipient.Address) is { } refused)
            return Say(refused);
        envelope.Recipients.Add(recipient.Address);
        return Say("250 2.1.5 recipient taken");
    }

    private async ValueTask<bool> DataAsync(string argument)
    {
        if (argument.Length > 0)
            return Nonsense("501 5.5.4 expected DATA alone");
        if (envelope is null)
            return Nonsense("503 5.5.1 expected MAIL first");
        if (envelope.Recipients.Count == 0)
            return Say("554 5.5.1 expected a recipient that was taken");
        var mail = envelope;
        envelope = null;
        nonsense = 0;
        connection.Reply("354 go on, end with a dot");
        return await room.TakeAsync(connection, mail);
    }

    private static string? Refusal(string[] parameters, int largest)
    {
        foreach (var parameter in parameters)
        {
            var (name, value) = parameter.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at
                ? (parameter[..at], parameter[(at + 1)..])
                : (parameter, "");
            switch (name.ToUpperInvariant())
            {
                case "SIZE":
                    if (!ulong.TryParse(value, System.Globalization.NumberStyles.None, null, out var size))
                        return "501 5.5.4 expected SIZE=bytes";
                    if (size > (ulong)largest)
                        return $"552 5.3.4 too large: at most {largest} bytes";
                    break;
                case "BODY" when value.ToUpperInvariant() is "7BIT" or "8BITMIME":
                case "SMTPUTF8" when value.Length == 0:
                    break;
                default:
                    return "555 5.5.4 expected only SIZE=, BODY=7BIT, BODY=8BITMIME and SMTPUTF8";
            }
        }

        return null;
    }

    private bool Say(string reply)
    {
        nonsense = 0;
        connection.Reply(reply);
        return true;
    }

    private bool Nonsense(string reply)
    {
        connection.Reply(reply);
        if (++nonsense < SmtpLimits.Nonsense)
            return true;
        connection.Reply("421 4.7.0 too much nonsense, closing");
        return false;
    }
}
