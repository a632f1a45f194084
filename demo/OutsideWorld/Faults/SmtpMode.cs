namespace Orders.OutsideWorld.Faults;

/// <summary>What the SMTP server does to the mails it hits. In JSON in lower case.</summary>
public enum SmtpMode
{
    /// <summary>Every mail is accepted at once.</summary>
    Ok,

    /// <summary>The mail is recorded as accepted, but its 250 comes only after the delay.</summary>
    Slow,

    /// <summary>Share 1: the port refuses connections and open sessions are cut. Below 1: that share of connections is closed before the banner.</summary>
    Down,

    /// <summary>451 after the final dot; the mail is not accepted.</summary>
    TempFail,

    /// <summary>550 after the final dot; the mail is not accepted.</summary>
    Reject,

    /// <summary>The connection is cut in the middle of DATA, after the headers; the mail is not accepted.</summary>
    Drop,

    /// <summary>The mail is recorded as accepted, then the connection is cut instead of the 250: the sender cannot know.</summary>
    Vanish,
}
