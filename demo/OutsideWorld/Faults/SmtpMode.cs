namespace Orders.OutsideWorld.Faults;

/// <summary>What the SMTP server does to the mails it hits. In JSON in lower case.</summary>
public enum SmtpMode
{
    /// <summary>Every mail is accepted at once.</summary>
    Ok,

    /// <summary>The mail is recorded as accepted, but its 250 comes only after the delay.</summary>
    Slow,

    /// <summary>
    /// Share 1: the port refuses connections and open sessions are cut. Below 1: that share of connections is closed
    /// before the banner.
    /// </summary>
    Down,

    /// <summary>451 after the final dot; the mail is not accepted.</summary>
    TempFail,

    /// <summary>550 after the final dot; the mail is not accepted.</summary>
    Reject,

    /// <summary>The connection is cut in the middle of DATA, after the headers; the mail is not accepted.</summary>
    Drop,

    /// <summary>
    /// The mail is recorded as accepted, then the connection is cut instead of the 250: the sender cannot know.
    /// </summary>
    Vanish,

    /// <summary>
    /// 504 5.5.2 at RCPT to a client whose EHLO name is not fully qualified; a mail of another client is accepted.
    /// </summary>
    StrictEhlo,

    /// <summary>421 to EHLO and HELO; the connection is closed. Counted by connection.</summary>
    NoEhlo,

    /// <summary>550 5.4.5 at MAIL FROM: the daily limit is used up.</summary>
    Quota,

    /// <summary>530 5.7.0 at MAIL FROM: a login is required.</summary>
    NeedsAuth,

    /// <summary>
    /// 450 4.2.0 at the first RCPT of each recipient since the behaviour was put; the next one is accepted.
    /// </summary>
    Greylist,

    /// <summary>452 4.2.2 at RCPT: the mailbox is full.</summary>
    FullMailbox,

    /// <summary>
    /// 530 5.7.0 at MAIL FROM until the client has encrypted with STARTTLS and logged in. A login is offered only then.
    /// </summary>
    AuthStartTls,

    /// <summary>TLS from the first byte; 530 5.7.0 at MAIL FROM until the client has logged in.</summary>
    AuthTls,

    /// <summary>At most three connections at once: the next one is turned away with 421 4.7.0.</summary>
    FewConnections,

    /// <summary>EHLO says SIZE 500; a larger mail is refused with 552 5.3.4 at MAIL FROM, or after its text.</summary>
    SizeLimit,
}
