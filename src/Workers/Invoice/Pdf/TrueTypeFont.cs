using System.Buffers.Binary;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// A TrueType font file (OpenType specification, chapters cmap, glyf, head, hhea, hmtx, loca, maxp): which characters
/// it has, how wide they are, how they are drawn.
/// Parsed once per process.
/// </summary>
public sealed class TrueTypeFont
{
    private readonly byte[] _file;
    private readonly Dictionary<string, (int Offset, int Length)> _tables = new(StringComparer.Ordinal);
    private readonly ushort[] _glyphs = new ushort[0x10000];
    private readonly Dictionary<int, ushort> _glyphsBeyond = [];
    private readonly int _metrics;
    private readonly bool _longOffsets;

    /// <summary>Parses a font.</summary>
    /// <param name="name">Its PostScript name, for the document.</param>
    /// <param name="file">The file's contents.</param>
    /// <exception cref="InvalidDataException">It is no TrueType font, or one without glyph outlines of that kind
    /// (CFF).</exception>
    public TrueTypeFont(string name, byte[] file)
    {
        Name = name;
        _file = file;
        // A collection (.ttc) begins with a list of its fonts; the first is taken. Offsets of tables count from the
        // file's beginning in both.
        var font = file.AsSpan().StartsWith("ttcf"u8) ? (int)U32(12) : 0;
        for (int i = 0, count = U16(font + 4); i < count; i++)
        {
            var record = font + 12 + (16 * i);
            _tables[System.Text.Encoding.ASCII.GetString(file, record, 4)] = (
                (int)U32(record + 8),
                (int)U32(record + 12)
            );
        }

        UnitsPerEm = U16(At("head") + 18);
        _longOffsets = U16(At("head") + 50) == 1;
        _metrics = U16(At("hhea") + 34);
        Ascent = S16(At("hhea") + 4);
        Descent = S16(At("hhea") + 6);
        Box = (S16(At("head") + 36), S16(At("head") + 38), S16(At("head") + 40), S16(At("head") + 42));
        ReadCharacters(At("cmap"));
    }

    /// <summary>The PostScript name.</summary>
    public string Name { get; }

    /// <summary>Units per font size; all lengths below are in them.</summary>
    public int UnitsPerEm { get; }

    /// <summary>Height above the baseline.</summary>
    public int Ascent { get; }

    /// <summary>Depth below the baseline, negative.</summary>
    public int Descent { get; }

    /// <summary>What encloses every glyph.</summary>
    public (int Left, int Bottom, int Right, int Top) Box { get; }

    /// <summary>The glyph of a character; 0, the box for missing characters, when the font has none.</summary>
    public ushort GlyphOf(int codePoint) =>
        codePoint < _glyphs.Length ? _glyphs[codePoint] : _glyphsBeyond.GetValueOrDefault(codePoint);

    /// <summary>How far a glyph moves the pen.</summary>
    public int AdvanceOf(ushort glyph) => U16(At("hmtx") + (4 * Math.Min(glyph, _metrics - 1)));

    /// <summary>A glyph's left side bearing.</summary>
    public short BearingOf(ushort glyph) =>
        S16(glyph < _metrics ? At("hmtx") + (4 * glyph) + 2 : At("hmtx") + (4 * _metrics) + (2 * (glyph - _metrics)));

    /// <summary>A glyph's outline as it stands in the file; empty for a space.</summary>
    public ReadOnlySpan<byte> OutlineOf(ushort glyph)
    {
        var loca = At("loca");
        var (from, to) = _longOffsets
            ? ((int)U32(loca + (4 * glyph)), (int)U32(loca + (4 * glyph) + 4))
            : (2 * U16(loca + (2 * glyph)), 2 * U16(loca + (2 * glyph) + 2));
        return _file.AsSpan(At("glyf") + from, to - from);
    }

    /// <summary>A whole table; empty when the font has none of that name.</summary>
    public ReadOnlySpan<byte> Table(string tag) =>
        _tables.TryGetValue(tag, out var table) ? _file.AsSpan(table.Offset, table.Length) : default;

    // Format 4 maps the basic plane, format 12 all planes. Other formats are for systems of the last century.
    private void ReadCharacters(int cmap)
    {
        for (int i = 0, count = U16(cmap + 2); i < count; i++)
        {
            var table = cmap + (int)U32(cmap + 4 + (8 * i) + 4);
            var isUnicode = U16(cmap + 4 + (8 * i)) is 0 or 3;
            if (isUnicode && U16(table) == 4)
                ReadSegments(table);
            else if (isUnicode && U16(table) == 12)
                ReadGroups(table);
        }
    }

    private void ReadSegments(int table)
    {
        var segments = U16(table + 6) / 2;
        var (ends, starts) = (table + 14, table + 16 + (2 * segments));
        var (deltas, offsets) = (starts + (2 * segments), starts + (4 * segments));
        for (var s = 0; s < segments; s++)
        {
            int start = U16(starts + (2 * s)),
                end = U16(ends + (2 * s)),
                offset = U16(offsets + (2 * s));
            for (var c = start; c <= end && c != 0xFFFF; c++)
            {
                var glyph = offset == 0 ? c : U16(offsets + (2 * s) + offset + (2 * (c - start)));
                if (offset == 0 || glyph != 0)
                    _glyphs[c] = (ushort)(glyph + U16(deltas + (2 * s)));
            }
        }
    }

    private void ReadGroups(int table)
    {
        for (uint g = 0, count = U32(table + 12); g < count; g++)
        {
            var group = table + 16 + (12 * (int)g);
            uint start = U32(group),
                end = Math.Min(U32(group + 4), 0x10FFFF),
                glyph = U32(group + 8);
            for (var c = start; c <= end; c++)
            {
                if (c < _glyphs.Length)
                    _glyphs[c] = (ushort)(glyph + (c - start));
                else
                    _glyphsBeyond[(int)c] = (ushort)(glyph + (c - start));
            }
        }
    }

    private int At(string tag) =>
        _tables.TryGetValue(tag, out var table)
            ? table.Offset
            : throw new InvalidDataException(
                $"Expected a TrueType font with a '{tag}' table in {Name}, found none; install the font's package again."
            );

    private ushort U16(int at) => BinaryPrimitives.ReadUInt16BigEndian(_file.AsSpan(at));

    private short S16(int at) => BinaryPrimitives.ReadInt16BigEndian(_file.AsSpan(at));

    private uint U32(int at) => BinaryPrimitives.ReadUInt32BigEndian(_file.AsSpan(at));
}
