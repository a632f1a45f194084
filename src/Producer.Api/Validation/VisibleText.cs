using System.Globalization;
using System.Text;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// Text for people: it ends up in mails, documents and pages, so nothing in it may break a line or turn the direction
/// of what stands around it.
/// </summary>
internal static class VisibleText
{
    /// <summary>Says what is wrong with a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="longest">The most characters (Unicode scalar values).</param>
    /// <param name="mayBeBlank">Whether it may do without a visible character.</param>
    /// <returns>What was expected; null when nothing is wrong.</returns>
    public static string? FaultIn(string text, int longest, bool mayBeBlank = false)
    {
        var length = 0;
        var visible = mayBeBlank;
        foreach (var rune in text.EnumerateRunes())
        {
            length++;
            if (rune.Value is > ' ' and < 0x7F)
                visible = true;
            else if (IsRefused(rune))
                return "must not contain control characters, line breaks or text direction overrides";
            else
                visible |= IsVisible(rune);
        }

        if (!visible)
            return "must contain a visible character";
        return length > longest
            ? FormattableString.Invariant($"must have at most {longest} characters, found {length}")
            : null;
    }

    private static bool IsRefused(Rune rune) =>
        rune.Value switch
        {
            < 0x20 or (>= 0x7F and < 0xA0) => true,
            0x2028 or 0x2029 => true,
            // LRE, RLE, PDF, LRO, RLO; LRI, RLI, FSI, PDI. The plain marks (LRM, RLM, ALM) stay: Arabic and Hebrew need
            // them, and they override nothing.
            >= 0x202A and <= 0x202E or >= 0x2066 and <= 0x2069 => true,
            // Not characters, by the standard's own word.
            >= 0xFDD0 and <= 0xFDEF => true,
            var value => (value & 0xFFFE) == 0xFFFE,
        };

    private static bool IsVisible(Rune rune)
    {
        // Letters and symbols by category, blank by shape.
        if (rune.Value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800)
            return false;
        return Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.SpaceSeparator
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.OtherNotAssigned
            );
    }
}
