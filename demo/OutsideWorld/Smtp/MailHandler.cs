using System.Collections.Concurrent;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// Decides what becomes of a mail, and puts it on the record before the client hears of it. In that order: a client
/// that was told 250 finds its mail in the ledger whatever happens next, and one that was not may find it there too.
/// That is the uncertain window real servers have.
/// </summary>
internal sealed class MailHandler(
    Behaviour behaviour,
    MailLedger ledger,
    SmtpCertificates certificates,
    TimeProvider clock,
    ILogger<MailHandler> logger
)
{
    private readonly ConcurrentDictionary<string, FaultProfile<SmtpMode>> seen = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What EHLO offers besides what it always offers.</summary>
    public (bool StartTls, bool Login, int Size) Offers(bool isEncrypted)
    {
        var mode = behaviour.Smtp.Current.Mode;
        return (
            !isEncrypted && (mode == SmtpMode.AuthStartTls || certificates.IsGiven),
            isEncrypted && mode is SmtpMode.AuthStartTls or SmtpMode.AuthTls,
            mode == SmtpMode.SizeLimit ? SmtpLimits.SmallMail : SmtpLimits.Mail
        );
    }

    /// <summary>What MAIL is answered to a client without TLS or login where they are required, put on the
    /// record.</summary>
    public string? RefusesStranger(bool isEncrypted, bool isLoggedIn) =>
        (isEncrypted || !certificates.IsGiven)
        && (behaviour.Smtp.Current.Mode is not (SmtpMode.AuthStartTls or SmtpMode.AuthTls) || isLoggedIn)
            ? null
            : Refuse(
                [],
                ReceptionOutcome.Rejected,
                isEncrypted ? "530 5.7.0 authentication required" : "530 5.7.0 must issue a STARTTLS command first"
            );

    /// <summary>Counts an EHLO or HELO where it is refused.</summary>
    /// <returns>The refusal, or null.</returns>
    public string? RefusesHello() =>
        behaviour.Smtp.Current.Mode == SmtpMode.NoEhlo && behaviour.Smtp.Next() is not null
            ? "421 4.3.2 not now"
            : null;

    /// <summary>Counts a mail whose MAIL or RCPT may misbehave.</summary>
    /// <returns>How it does; null when it does not.</returns>
    public SmtpMode? Begin() => IsOfEnvelope(behaviour.Smtp.Current.Mode) ? behaviour.Smtp.Next()?.Mode : null;

    /// <summary>What MAIL is answered instead of 250, put on the record; null when the sender is taken.</summary>
    public string? RefusesSender(SmtpMode? mode) =>
        mode switch
        {
            SmtpMode.Quota => Refuse([], ReceptionOutcome.Rejected, "550 5.4.5 daily sending limit exceeded"),
            SmtpMode.NeedsAuth => Refuse([], ReceptionOutcome.Rejected, "530 5.7.0 authentication required"),
            _ => null,
        };

    /// <summary>What RCPT is answered instead of 250, put on the record; null when the recipient is taken.</summary>
    public string? RefusesRecipient(SmtpMode? mode, string hello, string recipient) =>
        mode switch
        {
            SmtpMode.StrictEhlo when !hello.Contains('.', StringComparison.Ordinal) => Refuse(
                [recipient],
                ReceptionOutcome.Rejected,
                "504 5.5.2 need fully-qualified hostname"
            ),
            SmtpMode.FullMailbox => Refuse([recipient], ReceptionOutcome.TempFailed, "452 4.2.2 mailbox full"),
            SmtpMode.Greylist when IsNew(recipient) => Refuse(
                [recipient],
                ReceptionOutcome.TempFailed,
                "450 4.2.0 greylisted, try again later"
            ),
            _ => null,
        };

    /// <summary>Takes the content of one mail and answers it.</summary>
    /// <returns>Whether the session goes on.</returns>
    public async Task<bool> TakeAsync(SmtpServerConnection connection, SmtpEnvelope envelope)
    {
        var profile = NextFaultProfile();
        var largest = Offers(connection.IsEncrypted).Size;
        var content = await SmtpContent.ReadAsync(connection, profile.Mode == SmtpMode.Drop, largest);
        var outcome = OutcomeOf(content.End, profile.Mode);
        if (outcome == ReceptionOutcome.Accepted && behaviour.Smtp.Current.LoseReply)
            outcome = ReceptionOutcome.Vanished;
        if (!TryRecord(envelope, content.Bytes, outcome))
        {
            connection.Reply("452 4.3.1 the ledger cannot be written");
            return true;
        }

        switch (outcome)
        {
            case ReceptionOutcome.Accepted:
                // A slow server has taken the mail: only its answer is late. A client that gives up waiting must find
                // the mail when it asks.
                if (profile.Mode == SmtpMode.Slow)
                    await connection.HoldAsync(profile.Delay);
                connection.Reply("250 2.0.0 taken");
                return true;
            case ReceptionOutcome.TempFailed:
                connection.Reply("451 4.3.0 not now, try again");
                return true;
            case ReceptionOutcome.Rejected:
                connection.Reply(
                    content.End switch
                    {
                        ContentEnd.TooLarge => $"552 5.3.4 too large: at most {largest} bytes",
                        ContentEnd.LineTooLong => "500 5.6.0 line too long: at most 1000 bytes",
                        _ => "550 5.7.1 refused",
                    }
                );
                return true;
            default:
                connection.Cut();
                return false;
        }
    }

    private static bool IsOfEnvelope(SmtpMode mode) =>
        mode
            is SmtpMode.StrictEhlo
                or SmtpMode.Quota
                or SmtpMode.NeedsAuth
                or SmtpMode.Greylist
                or SmtpMode.FullMailbox;

    // A recipient is new once for each time that the behaviour was put.
    private bool IsNew(string recipient)
    {
        var now = behaviour.Smtp.Current;
        var before = seen.GetValueOrDefault(recipient);
        seen[recipient] = now;
        return !ReferenceEquals(before, now);
    }

    private string Refuse(string[] recipients, ReceptionOutcome outcome, string reply)
    {
        try
        {
            ledger.Record(
                new ReceivedMail
                {
                    Recipients = recipients,
                    Subject = "",
                    Text = "",
                    ReceivedAt = clock.GetUtcNow(),
                    Outcome = outcome,
                }
            );
        }
        catch (IOException problem)
        {
            logger.MailNotWritten(problem);
        }

        return reply;
    }

    private FaultProfile<SmtpMode> NextFaultProfile()
    {
        // "down" and "noehlo" are counted by the connection, the modes of the envelope at MAIL.
        var mode = behaviour.Smtp.Current.Mode;
        var hit = mode is SmtpMode.Down or SmtpMode.NoEhlo || IsOfEnvelope(mode) ? null : behaviour.Smtp.Next();
        return hit ?? new FaultProfile<SmtpMode>(SmtpMode.Ok);
    }

    private static ReceptionOutcome OutcomeOf(ContentEnd end, SmtpMode mode) =>
        end switch
        {
            ContentEnd.ClientLeft => ReceptionOutcome.Abandoned,
            ContentEnd.Headers or ContentEnd.CutOff => ReceptionOutcome.Dropped,
            ContentEnd.TooLarge or ContentEnd.LineTooLong => ReceptionOutcome.Rejected,
            _ => mode switch
            {
                SmtpMode.TempFail => ReceptionOutcome.TempFailed,
                SmtpMode.Reject => ReceptionOutcome.Rejected,
                SmtpMode.Drop => ReceptionOutcome.Dropped,
                SmtpMode.Vanish => ReceptionOutcome.Vanished,
                _ => ReceptionOutcome.Accepted,
            },
        };

    private bool TryRecord(SmtpEnvelope envelope, byte[] content, ReceptionOutcome outcome)
    {
        var decoded = MailDecoder.Decode(content);
        try
        {
            ledger.Record(
                new ReceivedMail
                {
                    MessageId = decoded.MessageId,
                    Recipients = [.. envelope.Recipients],
                    Subject = decoded.Subject,
                    Text = decoded.Text,
                    ReceivedAt = clock.GetUtcNow(),
                    Outcome = outcome,
                }
            );
            return true;
        }
        catch (IOException problem)
        {
            logger.MailNotWritten(problem);
            return false;
        }
    }
}
