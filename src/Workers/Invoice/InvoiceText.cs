using System.Globalization;
using System.Text;
using Orders.Workers.Invoice.Pdf;
using UglyToad.PdfPig.Tokens;

namespace Orders.Workers.Invoice;

/// <summary>The text of one document: writes it onto pages, and remembers the fonts and pictures that they need.</summary>
internal sealed class InvoiceText(InvoiceFonts fonts)
{
    private readonly List<EmbeddedFont> _embedded = [];
    private readonly List<(FontFace Face, uint Glyph, EmojiPicture? Picture)> _pictures = [];

    /// <summary>A letter and its accent become one character: fonts have a glyph for that.</summary>
    public static string Normal(string text) =>
        text.IsNormalized(NormalizationForm.FormC) ? text : text.Normalize(NormalizationForm.FormC);

    /// <summary>The glyphs of a line, from left to right.</summary>
    public IReadOnlyList<GlyphRun> Shape(string text, bool bold = false) => TextShaper.Shape(fonts, text, bold);

    /// <summary>How wide a line is, in points.</summary>
    public static double Width(IReadOnlyList<GlyphRun> line, double size) => line.Sum(r => r.Width) * size / 1000;

    /// <summary>Writes the operators that show a line at a place (from the page's bottom left corner).</summary>
    public void Show(StringBuilder content, IReadOnlyList<GlyphRun> line, double x, double y, double size)
    {
        foreach (var run in line)
        {
            if (run.Font.Kind == GlyphKind.Picture)
                ShowPictures(content, run, x, y, size);
            else
                ShowGlyphs(content, run, x, y, size);
            x += run.Width * size / 1000;
        }
    }

    /// <summary>Adds fonts and pictures to a file.</summary>
    /// <returns>The resources of the pages.</returns>
    public DictionaryToken AddTo(PdfFile file) =>
        PdfFile.Dictionary(
            ("Font", PdfFile.Dictionary(_embedded.Select(f => (f.Resource, (IToken)f.AddTo(file))))),
            (
                "XObject",
                PdfFile.Dictionary(
                    _pictures
                        .Select((p, i) => (Name: $"E{i}", p.Picture))
                        .Where(p => p.Picture is not null)
                        .Select(p => (p.Name, (IToken)p.Picture!.AddTo(file)))
                )
            )
        );

    private void ShowGlyphs(StringBuilder content, GlyphRun run, double x, double y, double size)
    {
        var font = Embedded(run.Font);
        for (int from = 0, to; from < run.Clusters.Count; from = to)
        {
            for (to = from; to < run.Clusters.Count && !IsSliced(run, run.Clusters[to]); )
                to++;
            var clusters = run.Clusters.Skip(from).Take(to - from).ToArray();
            content.Append(Operators(font, clusters, x, y, size));
            x += WidthOf(clusters, size);
            if (to < run.Clusters.Count)
            {
                var sliced = run.Clusters[to++];
                content.Append(Operators(font, [sliced with { Text = "" }], x, y, size));
                var letters = sliced.Text.EnumerateRunes().Reverse().Select(r => r.ToString()).ToArray();
                ShowSlices(content, letters, x, y, WidthOf([sliced], size), size);
                x += WidthOf([sliced], size);
            }
        }
    }

    // Readers take glyphs from left to right and turn right-to-left words round. Characters that share a glyph would be
    // turned round too, so each gets a place of its own.
    private static bool IsSliced(GlyphRun run, GlyphCluster cluster) =>
        run.IsRightToLeft && cluster.Text.EnumerateRunes().Skip(1).Any();

    // The pen is followed in thousandths of the font size, as a reader does: where HarfBuzz wants a glyph elsewhere than
    // the widths lead, the difference stands between the glyphs.
    private static StringBuilder Operators(EmbeddedFont font, GlyphCluster[] clusters, double x, double y, double size)
    {
        var text = new StringBuilder();
        if (clusters.Length == 0)
            return text;
        text.Append(CultureInfo.InvariantCulture, $"BT /{font.Resource} {N(size)} Tf {N(x)} {N(y)} Td [<");
        double pen = 0,
            start = 0,
            rise = 0;
        foreach (var cluster in clusters)
        {
            var glyphs = Placed(cluster, start);
            // Where glyphs do not stand for one text each, the text itself is named (ISO 32000-1, 14.9.4), at the
            // glyphs that take up room: a reader measures the text by them. The marks above and below carry none.
            if (glyphs is [var only] && font.Means(only.Id, cluster.Text))
            {
                Draw(glyphs);
            }
            else
            {
                var marks = glyphs.All(g => g.Advance == 0) ? [] : glyphs.Where(g => g.Advance == 0).ToArray();
                Name(cluster.Text, glyphs.Except(marks));
                if (marks.Length > 0)
                    Name("", marks);
            }

            start += cluster.Width;
        }

        text.Append(rise == 0 ? ">] TJ ET\n" : ">] TJ 0 Ts ET\n");
        return text.Replace("[<>] TJ ", "").Replace("<>", "");

        void Name(string words, IEnumerable<Glyph> glyphs)
        {
            text.Append(">] TJ ").Append(ActualText(words)).Append(" [<");
            Draw(glyphs);
            text.Append(">] TJ EMC [<");
        }

        void Draw(IEnumerable<Glyph> glyphs)
        {
            foreach (var glyph in glyphs)
            {
                if (Math.Abs(glyph.Y - rise) > 0.5)
                {
                    rise = glyph.Y;
                    text.Append(CultureInfo.InvariantCulture, $">] TJ {N(rise * size / 1000)} Ts [<");
                }

                var shift = Math.Round(pen - glyph.X);
                if (shift != 0)
                    text.Append(CultureInfo.InvariantCulture, $">{shift}<");
                text.Append(font.CodeOf(glyph.Id).ToString("X4", CultureInfo.InvariantCulture));
                pen += font.Face.WidthOf(glyph.Id) - shift;
            }
        }
    }

    // The glyphs of a cluster with their places in the line.
    private static Glyph[] Placed(GlyphCluster cluster, double start)
    {
        var placed = new Glyph[cluster.Glyphs.Count];
        for (var i = 0; i < placed.Length; i++)
        {
            placed[i] = cluster.Glyphs[i] with { X = start + cluster.Glyphs[i].X };
            start += placed[i].Advance;
        }

        return placed;
    }

    private void ShowPictures(StringBuilder content, GlyphRun run, double x, double y, double size)
    {
        var scale = size / run.Font.UnitsPerEm;
        foreach (var cluster in run.Clusters)
        {
            var left = x;
            foreach (var glyph in cluster.Glyphs)
            {
                if (Picture(run.Font, glyph.Id) is { } name && run.Font.Font.TryGetGlyphExtents(glyph.Id, out var box))
                {
                    // HarfBuzz measures from the top: the height is negative.
                    var bottom = y + ((box.YBearing + box.Height) * scale);
                    content.Append(
                        CultureInfo.InvariantCulture,
                        $"q {N(box.Width * scale)} 0 0 {N(-box.Height * scale)} {N(left + (box.XBearing * scale))} {N(bottom)} cm /{name} Do Q\n"
                    );
                }

                left += glyph.Advance * size / 1000;
            }

            ShowSlices(content, [cluster.Text], x, y, left - x, size);
            x = left;
        }
    }

    // Text to copy where the glyphs give none: invisible spaces, side by side, that carry it.
    private void ShowSlices(StringBuilder content, string[] texts, double x, double y, double width, double size)
    {
        var font = Embedded(fonts.Regular);
        fonts.Regular.Font.TryGetNominalGlyph(' ', out var space);
        var stretch = 100_000 * width / texts.Length / size / fonts.Regular.WidthOf(space);
        content.Append(
            CultureInfo.InvariantCulture,
            $"q BT 3 Tr {N(stretch)} Tz /{font.Resource} {N(size)} Tf {N(x)} {N(y)} Td "
        );
        foreach (var text in texts)
            content.Append(CultureInfo.InvariantCulture, $"{ActualText(text)} <{font.CodeOf(space):X4}> Tj EMC ");
        content.Append("ET Q\n");
    }

    private static double WidthOf(IEnumerable<GlyphCluster> clusters, double size) =>
        clusters.Sum(c => c.Width) * size / 1000;

    private EmbeddedFont Embedded(FontFace face)
    {
        var font = _embedded.Find(f => f.Face == face);
        if (font is null)
            _embedded.Add(font = new EmbeddedFont(face, $"F{_embedded.Count}"));
        return font;
    }

    private string? Picture(FontFace face, uint glyph)
    {
        var at = _pictures.FindIndex(p => p.Face == face && p.Glyph == glyph);
        if (at < 0)
        {
            at = _pictures.Count;
            _pictures.Add((face, glyph, EmojiPicture.Of(face, glyph)));
        }

        return _pictures[at].Picture is null ? null : $"E{at}";
    }

    private static string ActualText(string text) =>
        $"/Span<</ActualText<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>>>BDC";

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
