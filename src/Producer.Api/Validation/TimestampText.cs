using System.Globalization;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// A moment as a text: ISO 8601 in its extended form, with an offset, such as <c>2026-12-24T08:00:00+01:00</c>. Without
/// the offset it would be a guess.
/// </summary>
internal static class TimestampText
{
    private const int Longest = 40;
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    /// <summary>Reads a moment.</summary>
    public static bool TryRead(string text, out DateTimeOffset moment)
    {
        moment = default;
        return text.Length <= Longest
            && HasOffset(text)
            && DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out moment);
    }

    private static bool HasOffset(string text) =>
        text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':');
}
