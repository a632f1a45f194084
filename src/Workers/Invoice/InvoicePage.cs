using System.Globalization;
using System.Text;

namespace Orders.Workers.Invoice;

/// <summary>
/// Draws text on one A4 page. Lengths are points (1/72 inch) from the page's top left corner; a text's position is its
/// baseline.
/// </summary>
internal sealed class InvoicePage(InvoiceText text)
{
    /// <summary>Width of A4.</summary>
    public const double Width = 595.28;

    /// <summary>Height of A4.</summary>
    public const double Height = 841.89;

    private readonly StringBuilder _content = new(4096);

    /// <summary>The operators that draw the page.</summary>
    public byte[] Content => Encoding.ASCII.GetBytes(_content.ToString());

    /// <summary>Writes a text that begins at <paramref name="x"/>.</summary>
    public void Left(string words, double x, double y, double size, bool bold = false) =>
        text.Show(_content, text.Shape(InvoiceText.Normal(words), bold), x, Height - y, size);

    /// <summary>Writes a text that ends at <paramref name="x"/>.</summary>
    public void Right(string words, double x, double y, double size, bool bold = false)
    {
        var line = text.Shape(InvoiceText.Normal(words), bold);
        text.Show(_content, line, x - InvoiceText.Width(line, size), Height - y, size);
    }

    /// <summary>Draws a thin grey line across.</summary>
    public void Rule(double left, double right, double y) =>
        _content.Append(
            CultureInfo.InvariantCulture,
            $"0.5 w 0.5 G {left:0.##} {Height - y:0.##} m {right:0.##} {Height - y:0.##} l S\n"
        );

    /// <summary>
    /// Breaks a text into lines that fit a width: between words, and within a word (or a text without spaces, such as
    /// Chinese) where it must be.
    /// </summary>
    public IReadOnlyList<string> Wrap(string words, double width, double size)
    {
        var normal = InvoiceText.Normal(words);
        if (WidthOf(normal, size) <= width)
            return [normal];

        var lines = new List<string>();
        var rest = normal.AsSpan().Trim();
        while (rest.Length > 0)
        {
            var fit = Fit(rest, width, size);
            if (fit < rest.Length && rest[fit] != ' ' && rest[..fit].LastIndexOf(' ') is > 0 and var space)
                fit = space;
            lines.Add(rest[..fit].TrimEnd().ToString());
            rest = rest[fit..].TrimStart();
        }

        return lines;
    }

    private double WidthOf(string words, double size) => InvoiceText.Width(text.Shape(words), size);

    // The longest beginning that fits, found by halving; at least one character as people see it, and never a part of
    // one: a letter keeps its accents, a flag both its halves.
    private int Fit(ReadOnlySpan<char> words, double width, double size)
    {
        var starts = StringInfo.ParseCombiningCharacters(words.ToString());
        var (low, high) = (1, starts.Length);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (WidthOf(words[..End(middle, words.Length)].ToString(), size) <= width)
                low = middle;
            else
                high = middle - 1;
        }

        return End(low, words.Length);

        int End(int characters, int all) => characters < starts.Length ? starts[characters] : all;
    }
}
