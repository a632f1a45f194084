using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Smtp;

/// <summary>What MAIL and RCPT have said about the mail to come.</summary>
internal sealed class Envelope(bool allowsUtf8, SmtpMode? mode)
{
    /// <summary>How MAIL and RCPT of this mail misbehave; null when they do not.</summary>
    public SmtpMode? Mode { get; } = mode;

    /// <summary>Whether MAIL asked for SMTPUTF8, so that recipients may be international.</summary>
    public bool AllowsUtf8 { get; } = allowsUtf8;

    /// <summary>The recipients accepted so far.</summary>
    public List<string> Recipients { get; } = [];
}
