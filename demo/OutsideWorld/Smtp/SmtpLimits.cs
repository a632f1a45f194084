namespace Orders.OutsideWorld.Smtp;

/// <summary>What the SMTP server puts up with, so that no client can exhaust it.</summary>
internal static class SmtpLimits
{
    /// <summary>The longest line, command or text, in bytes with its CRLF (RFC 5321, 4.5.3.1.6).</summary>
    public const int Line = 1000;

    /// <summary>The largest mail, in bytes, without dot-stuffing (RFC 1870).</summary>
    public const int Mail = 10 * 1024 * 1024;

    /// <summary>The largest mail in the mode <c>sizelimit</c>, in bytes.</summary>
    public const int SmallMail = 500;

    /// <summary>The most sessions at once in the mode <c>fewconnections</c>.</summary>
    public const int FewConnections = 3;

    /// <summary>The most recipients of one mail; RFC 5321 asks for at least 100.</summary>
    public const int Recipients = 100;

    /// <summary>The most sessions at once; the next one is turned away with 421.</summary>
    public const int Sessions = 200;

    /// <summary>The most commands in a row that make no sense before the session is ended.</summary>
    public const int Nonsense = 20;

    /// <summary>How long a session may stay silent (RFC 5321, 4.5.3.2.7).</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(5);
}
