using System.Globalization;
using HarfBuzzSharp;
using Buffer = HarfBuzzSharp.Buffer;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>A glyph at its place; lengths are thousandths of the font size.</summary>
/// <param name="Id">The glyph's number in its font.</param>
/// <param name="Advance">How far it moves the pen.</param>
/// <param name="X">How far right of the pen it stands.</param>
/// <param name="Y">How far above the baseline it stands.</param>
internal readonly record struct Glyph(uint Id, double Advance, double X, double Y);

/// <summary>The glyphs, from left to right, that together show some characters.</summary>
/// <param name="Text">The characters, in the order in which they are read.</param>
/// <param name="Glyphs">The glyphs.</param>
internal readonly record struct GlyphCluster(string Text, IReadOnlyList<Glyph> Glyphs)
{
    /// <summary>Width in thousandths of the font size.</summary>
    public double Width { get; } = Glyphs.Sum(g => g.Advance);
}

/// <summary>Clusters of one font, from left to right.</summary>
/// <param name="Font">The font.</param>
/// <param name="IsRightToLeft">Whether it is read from right to left.</param>
/// <param name="Clusters">The clusters.</param>
internal sealed record GlyphRun(FontFace Font, bool IsRightToLeft, IReadOnlyList<GlyphCluster> Clusters)
{
    /// <summary>Width in thousandths of the font size.</summary>
    public double Width { get; } = Clusters.Sum(c => c.Width);
}

/// <summary>
/// Turns a line of text into glyphs: FriBidi says which parts run from right to left, the fonts are chosen by what they
/// have, and HarfBuzz joins, orders and places the glyphs of each part.
/// </summary>
internal static class TextShaper
{
    /// <summary>Characters that change how others are drawn, but draw nothing themselves.</summary>
    public static bool IsInvisible(int character) =>
        character
            is (>= 0x200B and <= 0x200F)
                or (>= 0x202A and <= 0x202E)
                or (>= 0x2060 and <= 0x206F)
                or (>= 0xFE00 and <= 0xFE0F)
                or 0xFEFF
                or 0x00AD
                or (>= 0xE0100 and <= 0xE01EF);

    /// <summary>Shapes a line.</summary>
    /// <returns>Its runs from left to right.</returns>
    public static IReadOnlyList<GlyphRun> Shape(InvoiceFonts fonts, string text, bool bold)
    {
        var pieces = Split(fonts, text, bold);
        Reorder(pieces);
        var runs = new List<GlyphRun>(pieces.Count);
        using var buffer = new Buffer();
        foreach (var piece in pieces)
            runs.Add(new GlyphRun(piece.Font, piece.IsRightToLeft, Shape(buffer, text, piece)));
        return runs;
    }

    // Parts of one level, one font and one script. Spaces and marks belong to the script of their neighbour.
    private static List<Piece> Split(InvoiceFonts fonts, string text, bool bold)
    {
        var runes = text.EnumerateRunes().ToArray();
        var levels = FriBidi.Levels(runes);
        var pieces = new List<Piece>();
        for (int at = 0, rune = 0; at < text.Length; )
        {
            var length = StringInfo.GetNextTextElementLength(text, at);
            var cluster = text.AsSpan(at, length);
            var level = levels.Length == 0 ? (sbyte)0 : levels[rune];
            var font = fonts.For(cluster, bold);
            var script = UnicodeFunctions.Default.GetScript(runes[rune].Value);
            var isNeutral = script == Script.Common || script == Script.Inherited;
            if (
                pieces.Count > 0
                && pieces[^1] is var last
                && last.Font == font
                && last.Level == level
                && (isNeutral || last.IsNeutral || last.Script == script)
            )
            {
                pieces[^1] = last with
                {
                    Length = last.Length + length,
                    Script = last.IsNeutral ? script : last.Script,
                    IsNeutral = last.IsNeutral && isNeutral,
                };
            }
            else
            {
                pieces.Add(new Piece(at, length, level, font, script, isNeutral));
            }

            for (var end = at + length; at < end; rune++)
                at += runes[rune].Utf16SequenceLength;
        }

        return pieces;
    }

    // Rule L2 of UAX #9: from the highest level down to 1, what stands at that level or above is turned round.
    private static void Reorder(List<Piece> pieces)
    {
        for (var level = pieces.Select(p => p.Level).DefaultIfEmpty().Max(); level > 0; level--)
        {
            for (var from = 0; from < pieces.Count; from++)
            {
                var to = from;
                while (to < pieces.Count && pieces[to].Level >= level)
                    to++;
                if (to - from > 1)
                    pieces.Reverse(from, to - from);
                from = to;
            }
        }
    }

    private static List<GlyphCluster> Shape(Buffer buffer, string text, Piece piece)
    {
        buffer.ClearContents();
        // The whole line goes in: an Arabic letter joins across the border of two fonts too.
        buffer.AddUtf16(text, piece.At, piece.Length);
        buffer.ClusterLevel = ClusterLevel.MonotoneGraphemes;
        buffer.Direction = piece.IsRightToLeft ? Direction.RightToLeft : Direction.LeftToRight;
        buffer.Script = piece.Script;
        buffer.Language = LanguageOf(text, piece.Script);
        piece.Font.Font.Shape(buffer);
        return Clusters(buffer, text, piece);
    }

    private static List<GlyphCluster> Clusters(Buffer buffer, string text, Piece piece)
    {
        var infos = buffer.GetGlyphInfoSpan();
        var positions = buffer.GetGlyphPositionSpan();
        var clusters = new List<GlyphCluster>(infos.Length);
        var scale = 1000.0 / piece.Font.UnitsPerEm;
        for (int from = 0, to; from < infos.Length; from = to)
        {
            var start = (int)infos[from].Cluster;
            for (to = from + 1; to < infos.Length && infos[to].Cluster == start; )
                to++;
            // A cluster's characters end where those of the next one in reading order begin.
            var end =
                piece.IsRightToLeft ? (from == 0 ? piece.At + piece.Length : (int)infos[from - 1].Cluster)
                : to < infos.Length ? (int)infos[to].Cluster
                : piece.At + piece.Length;
            var glyphs = new Glyph[to - from];
            for (var i = from; i < to; i++)
            {
                glyphs[i - from] = new Glyph(
                    infos[i].Codepoint,
                    positions[i].XAdvance * scale,
                    positions[i].XOffset * scale,
                    positions[i].YOffset * scale
                );
            }

            clusters.Add(new GlyphCluster(text[start..end], glyphs));
        }

        return clusters;
    }

    // Chinese, Japanese and Korean write some characters of the same number differently: kana tell Japanese, hangul
    // Korean, and everything else is taken for Chinese.
    private static Language LanguageOf(string text, Script script)
    {
        if (script == Script.Hangul)
            return Korean;
        if (script == Script.Hiragana || script == Script.Katakana)
            return Japanese;
        return script != Script.Han ? Unknown
            : text.Any(c => c is >= '\u3040' and <= '\u30FF') ? Japanese
            : text.Any(c => c is >= '\uAC00' and <= '\uD7AF') ? Korean
            : Chinese;
    }

    private static Language Unknown { get; } = new("und");
    private static Language Chinese { get; } = new("zh-Hans");
    private static Language Japanese { get; } = new("ja");
    private static Language Korean { get; } = new("ko");

    private readonly record struct Piece(int At, int Length, sbyte Level, FontFace Font, Script Script, bool IsNeutral)
    {
        public bool IsRightToLeft => Level % 2 != 0;
    }
}
