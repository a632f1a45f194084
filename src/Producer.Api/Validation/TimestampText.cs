using System.Globalization;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// A moment as a text: RFC 3339, with an offset, such as <c>2026-12-24T08:00:00+01:00</c>. Without the offset it would
/// be a guess. The seconds may be left out, as in ISO 8601.
/// </summary>
internal static class TimestampText
{
    private const int Longest = 40;
    private const int MostFractionDigits = 9;

    // What .NET keeps: 100 ns. The database keeps microseconds.
    private const int KeptFractionDigits = 7;
    private const int PlaceOfT = 10;
    private const int PlaceOfPoint = 19;

    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    /// <summary>Reads a moment.</summary>
    public static bool TryRead(string text, out DateTimeOffset moment)
    {
        moment = default;
        if (text.Length > Longest)
            return false;

        Span<char> form = stackalloc char[Longest];
        text.CopyTo(form);
        form = form[..text.Length];
        return TryNormalise(ref form)
            && HasOffset(form)
            && DateTimeOffset.TryParseExact(form, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out moment);
    }

    // Small letters and nine digits are RFC 3339's, and not in the forms.
    private static bool TryNormalise(ref Span<char> text)
    {
        if (text.Length <= PlaceOfPoint - 3)
            return false;
        if (text[PlaceOfT] == 't')
            text[PlaceOfT] = 'T';
        if (text[^1] == 'z')
            text[^1] = 'Z';
        if (text.Length <= PlaceOfPoint || text[PlaceOfPoint] != '.')
            return true;

        var fraction = text[(PlaceOfPoint + 1)..];
        var digits = fraction.IndexOfAnyExceptInRange('0', '9');
        if (digits is < 1 or > MostFractionDigits)
            return false;
        if (digits > KeptFractionDigits)
        {
            fraction[digits..].CopyTo(fraction[KeptFractionDigits..]);
            text = text[..^(digits - KeptFractionDigits)];
        }

        return true;
    }

    private static bool HasOffset(ReadOnlySpan<char> text) =>
        text[^1] == 'Z' || (text[^6] is '+' or '-' && text[^3] == ':');
}
