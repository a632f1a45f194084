using System.Globalization;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// One bare mail address as HTML's <c>input type=email</c> takes it, without display name, quotes, comments or literals.
/// By what it lets through, no line break and no second address can hide in it. Other than HTML:
/// 1. The domain has two labels or more and its last one is no number; it may be international.
/// 2. The local part neither begins nor ends with a dot, nor has two in a row: the mail could not be written (MimeKit).
/// 3. The lengths of RFC 5321.
/// The local part is ASCII, as in HTML: a server without SMTPUTF8 refuses others.
/// </summary>
internal static class MailAddress
{
    private const int Longest = 254;
    private const int LongestLocalPart = 64;
    private const int LongestDomain = 253;
    private const int LongestLabel = 63;

    private static readonly IdnMapping International = new() { UseStd3AsciiRules = true };

    /// <summary>Whether a text is one.</summary>
    public static bool IsValid(string text)
    {
        var at = text.IndexOf('@');
        return text.Length <= Longest
            && at is > 0 and <= LongestLocalPart
            && IsLocalPart(text.AsSpan(0, at))
            && IsDomain(text[(at + 1)..]);
    }

    private static bool IsLocalPart(ReadOnlySpan<char> text)
    {
        var previous = '.';
        foreach (var c in text)
        {
            if (c == '.' ? previous == '.' : !char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-/=?^_`{|}~".Contains(c))
                return false;
            previous = c;
        }

        return previous != '.';
    }

    private static bool IsDomain(string text)
    {
        if (!System.Text.Ascii.IsValid(text))
        {
            try
            {
                text = International.GetAscii(text);
            }
            catch (ArgumentException)
            {
                return false;
            }
        }

        if (text.Length > LongestDomain)
            return false;
        var labels = 0;
        var last = default(Range);
        foreach (var range in text.AsSpan().Split('.'))
        {
            if (!IsLabel(text.AsSpan(range)))
                return false;
            labels++;
            last = range;
        }

        // The last label of a domain is never a number: that would be an address of another kind.
        return labels >= 2 && text.AsSpan(last).ContainsAnyExceptInRange('0', '9');
    }

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > LongestLabel || label[0] == '-' || label[^1] == '-')
            return false;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }

        return true;
    }
}
