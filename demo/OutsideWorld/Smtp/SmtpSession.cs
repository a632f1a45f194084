using System.Text;
using System.Text.Unicode;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// One client's conversation: the commands of RFC 5321 with PIPELINING, 8BITMIME, SMTPUTF8 and SIZE.
/// What happens to a mail is the business of <see cref="MailRoom"/>.
/// </summary>
internal sealed class SmtpSession(SmtpConnection connection, MailRoom room)
{
    private const string Greeting =
        "250-outside-world\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 10485760";

    private string? hello;
    private int nonsense;
    private Envelope? envelope;

    /// <summary>Talks until the client leaves, or is cut off.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The server goes down, or the client was silent for too long.</exception>
    public async Task RunAsync()
    {
        connection.Reply("220 outside-world ESMTP");
        var goesOn = true;
        while (goesOn)
        {
            var line = await connection.ReadLineAsync();
            if (line.IsEnd)
                return;
            goesOn = line.IsTooLong || !Utf8.IsValid(line.Bytes.Span)
                ? Nonsense(line.IsTooLong ? "500 5.5.2 line too long: at most 1000 bytes" : "500 5.5.2 expected UTF-8")
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
            case "EHLO": return Hello(argument, Greeting);
            case "HELO": return Hello(argument, "250 outside-world");
            case "MAIL": return Mail(argument);
            case "RCPT": return Recipient(argument);
            case "DATA": return await DataAsync(argument);
            case "RSET":
                envelope = null;
                return Say("250 2.0.0 forgotten");
            case "NOOP": return Say("250 2.0.0 still here");
            case "VRFY": return Say("252 2.5.0 send and see");
            case "HELP": return Say("214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT");
            case "QUIT":
                connection.Reply("221 2.0.0 bye");
                return false;
            case "EXPN" or "AUTH" or "STARTTLS" or "BDAT": return Nonsense("502 5.5.1 not offered");
            default: return Nonsense("500 5.5.2 expected EHLO, HELO, MAIL, RCPT, DATA, RSET, NOOP, VRFY, HELP or QUIT");
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

    private bool Mail(string argument)
    {
        if (hello is null)
            return Nonsense("503 5.5.1 expected EHLO first");
        if (envelope is not null)
            return Nonsense("503 5.5.1 expected RCPT, DATA or RSET: a mail has been begun");
        if (!SmtpPath.TryParse(argument, "FROM:", out var sender))
            return Nonsense("501 5.5.4 expected MAIL FROM:<address>");
        if (Refusal(sender.Parameters) is { } refusal)
            return Say(refusal);
        var utf8 = sender.Parameters.Contains("SMTPUTF8", StringComparer.OrdinalIgnoreCase);
        if (sender.IsInternational && !utf8)
            return Say("553 5.6.7 expected SMTPUTF8 with an international address");
        if (sender.Address.Length > 0 && !sender.IsMailbox)
            return Say("553 5.1.7 expected local-part@domain");
        var mode = room.Begin();
        if (room.RefusesSender(mode) is { } refused)
            return Say(refused);
        envelope = new Envelope(utf8, mode);
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

    private static string? Refusal(string[] parameters)
    {
        foreach (var parameter in parameters)
        {
            var (name, value) = parameter.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at ? (parameter[..at], parameter[(at + 1)..]) : (parameter, "");
            switch (name.ToUpperInvariant())
            {
                case "SIZE":
                    if (!ulong.TryParse(value, System.Globalization.NumberStyles.None, null, out var size))
                        return "501 5.5.4 expected SIZE=bytes";
                    if (size > SmtpLimits.Mail)
                        return "552 5.3.4 too large: at most 10485760 bytes";
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
