using System.Globalization;
using System.Text;
using Orders.Workers.Invoice.Pdf;

namespace Orders.Workers.Invoice;

/// <summary>
/// The letters of one document: finds for each character a font that has it, measures, and remembers which glyphs were
/// shown.
/// </summary>
internal sealed class InvoiceText(InvoiceFonts fonts)
{
    private readonly FontSubset _regular = new(fonts.Regular, "R");
    private readonly FontSubset _bold = new(fonts.Bold, "B");
    private FontSubset? _fallback;

    /// <summary>The fonts that the document shows.</summary>
    public IEnumerable<FontSubset> Subsets =>
        new[] { _regular, _bold, _fallback }.OfType<FontSubset>().Where(s => s.Count > 1);

    /// <summary>A letter and its accent become one character: fonts have a glyph for that.</summary>
    public static string Normal(string text) =>
        text.IsNormalized(NormalizationForm.FormC) ? text : text.Normalize(NormalizationForm.FormC);

    /// <summary>How wide a text is, in points.</summary>
    public double Width(ReadOnlySpan<char> text, double size, bool bold = false)
    {
        var width = 0.0;
        foreach (var rune in text.EnumerateRunes())
        {
            var font = FontFor(rune, bold ? fonts.Bold : fonts.Regular);
            width += size * font.AdvanceOf(font.GlyphOf(rune.Value)) / font.UnitsPerEm;
        }

        return width;
    }

    /// <summary>Writes the operators that show a text at a place (from the page's bottom left corner).</summary>
    public void Show(StringBuilder content, string text, double x, double y, double size, bool bold)
    {
        content.Append(CultureInfo.InvariantCulture, $"BT 1 0 0 1 {PdfFile.Number(x)} {PdfFile.Number(y)} Tm");
        FontSubset? current = null;
        foreach (var rune in text.EnumerateRunes())
        {
            var subset = SubsetFor(rune, bold);
            if (subset != current)
                content
                    .Append(current is null ? "" : "> Tj")
                    .Append(CultureInfo.InvariantCulture, $" /{subset.Resource} {PdfFile.Number(size)} Tf <");
            current = subset;
            content.Append(subset.Use(rune).ToString("X4", CultureInfo.InvariantCulture));
        }

        content.Append(current is null ? " ET\n" : "> Tj ET\n");
    }

    private TrueTypeFont FontFor(Rune rune, TrueTypeFont first) =>
        first.GlyphOf(rune.Value) != 0 || fonts.Fallback.GlyphOf(rune.Value) == 0 ? first : fonts.Fallback;

    private FontSubset SubsetFor(Rune rune, bool bold)
    {
        var first = bold ? _bold : _regular;
        return FontFor(rune, first.Font) == first.Font ? first : _fallback ??= new FontSubset(fonts.Fallback, "F");
    }
}
