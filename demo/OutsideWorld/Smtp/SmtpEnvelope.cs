namespace Orders.OutsideWorld.Smtp;

/// <summary>What MAIL and RCPT have said about the mail to come.</summary>
internal sealed class SmtpEnvelope(bool allowsUtf8)
{
    /// <summary>Whether MAIL asked for SMTPUTF8, so that recipients may be international.</summary>
    public bool AllowsUtf8 { get; } = allowsUtf8;

    /// <summary>The recipients accepted so far.</summary>
    public List<string> Recipients { get; } = [];
}
