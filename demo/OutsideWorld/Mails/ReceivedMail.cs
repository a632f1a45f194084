using System.Text.Json.Serialization;

namespace Orders.OutsideWorld.Mails;

/// <summary>One mail as the SMTP server received it.</summary>
public sealed record ReceivedMail
{
    /// <summary>The longest text kept of a mail, in characters: 100,000 mails have to fit into memory.</summary>
    public const int LongestText = 256 * 1024;

    /// <summary>The Message-ID without its angle brackets; null when the mail has none.</summary>
    public string? MessageId { get; init; }

    /// <summary>
    /// The envelope's recipients (RCPT TO), which is whom the mail reached, whatever its headers say.
    /// </summary>
    public required IReadOnlyList<string> Recipients { get; init; }

    /// <summary>The recipients in one line, comma separated.</summary>
    [JsonIgnore]
    public string To => string.Join(", ", Recipients);

    /// <summary>The decoded subject; empty when there is none.</summary>
    public required string Subject { get; init; }

    /// <summary>
    /// The decoded text: the plain part, or the HTML source where there is no plain part. Line ends are <c>\n</c>,
    /// those at the end are left out (SMTP adds one), and what goes beyond <see cref="LongestText"/> characters is cut.
    /// </summary>
    public required string Text { get; init; }

    /// <summary>When the final dot was read, or when it became clear that it would not come.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>How it ended.</summary>
    public required ReceptionOutcome Outcome { get; init; }

    /// <summary>Whether the mail counts as delivered: 250 was given, or would have been and was lost.</summary>
    [JsonIgnore]
    public bool IsDelivered => Outcome is ReceptionOutcome.Accepted or ReceptionOutcome.Vanished;

    internal bool IsTo(string address) => Recipients.Contains(address, StringComparer.OrdinalIgnoreCase);
}
