using System.Text;
using MimeKit;

namespace Orders.OutsideWorld.Mails;

/// <summary>Turns the bytes of a mail into what a person would read.</summary>
internal static class MailDecoder
{
    // Without this .NET knows no KOI8-R and no Windows-1252, and a mail in them would be on record with a text nobody
    // wrote.
    static MailDecoder() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static DecodedMail Decode(byte[] content)
    {
        try
        {
            using var stream = new MemoryStream(content, writable: false);
            using var message = MimeMessage.Load(stream);
            return new DecodedMail(
                IdOf(message),
                message.Subject ?? "",
                Normalize(message.TextBody ?? message.HtmlBody ?? "")
            );
        }
        catch (FormatException)
        {
            // Not a mail by any standard. It was received all the same, and a ledger that leaves it out would be wrong.
            return new DecodedMail(null, "", Normalize(Encoding.Latin1.GetString(content)));
        }
    }

    /// <summary>A Message-ID without the angle brackets, so that both spellings find the same mail.</summary>
    public static string BareId(string id) => id.Trim().TrimStart('<').TrimEnd('>');

    // The header as it stands where MimeKit cannot read an id from it.
    private static string? IdOf(MimeMessage message) =>
        message.MessageId is { Length: > 0 } id ? id
        : BareId(message.Headers[HeaderId.MessageId] ?? "") is { Length: > 0 } raw ? raw
        : null;

    private static string Normalize(string text)
    {
        var normalized = text.ReplaceLineEndings("\n").TrimEnd('\n');
        return normalized.Length <= ReceivedMail.LongestText ? normalized : normalized[..ReceivedMail.LongestText];
    }
}

/// <summary>What a person would read of a mail.</summary>
internal readonly record struct DecodedMail(string? MessageId, string Subject, string Text);
