using System.Buffers.Binary;
using System.Text;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The glyphs of a font that one document shows, numbered in the order of their first use. A document of some 60
/// different letters carries some kB of font and not 750.
/// </summary>
internal sealed class FontSubset
{
    private readonly Dictionary<ushort, ushort> _numbers = new() { [0] = 0 };
    private readonly List<ushort> _glyphs = [0];
    private readonly List<int> _characters = [0xFFFD];

    public FontSubset(TrueTypeFont font, string resource)
    {
        Font = font;
        Resource = resource;
    }

    public TrueTypeFont Font { get; }

    /// <summary>The font's name on the pages.</summary>
    public string Resource { get; }

    /// <summary>How many glyphs there are.</summary>
    public int Count => _glyphs.Count;

    /// <summary>
    /// The character of each number, for copying and searching; -1 for a part that no text asked for.
    /// </summary>
    public IReadOnlyList<int> Characters => _characters;

    /// <summary>The number of a character's glyph.</summary>
    public ushort Use(Rune character) => Use(Font.GlyphOf(character.Value), character.Value);

    /// <summary>A number's width in thousandths of the font size.</summary>
    public int WidthOf(int number) => (int)Math.Round(1000.0 * Font.AdvanceOf(_glyphs[number]) / Font.UnitsPerEm);

    /// <summary>
    /// Writes a TrueType font of these glyphs only, with the tables that PDF asks for (ISO 32000-1, 9.9).
    /// </summary>
    public byte[] Write()
    {
        var (outlines, offsets) = (new MemoryStream(), new List<byte[]>());
        // The list grows on the way: a composed glyph brings its parts.
        for (var i = 0; i < _glyphs.Count; i++)
        {
            offsets.Add(U32((uint)outlines.Length));
            outlines.Write(Renumber(Font.OutlineOf(_glyphs[i]).ToArray()));
            while (outlines.Length % 4 != 0)
                outlines.WriteByte(0);
        }

        offsets.Add(U32((uint)outlines.Length));
        var head = Font.Table("head").ToArray();
        U16(1).CopyTo(head, 50);
        var hhea = Font.Table("hhea").ToArray();
        U16((ushort)Count).CopyTo(hhea, 34);
        var maxp = Font.Table("maxp").ToArray();
        U16((ushort)Count).CopyTo(maxp, 4);
        byte[] hmtx =
        [
            .. _glyphs.SelectMany(g => (byte[])[.. U16((ushort)Font.AdvanceOf(g)), .. U16((ushort)Font.BearingOf(g))]),
        ];
        return Assemble([
            ("cvt ", Font.Table("cvt ").ToArray()),
            ("fpgm", Font.Table("fpgm").ToArray()),
            ("glyf", outlines.ToArray()),
            ("head", head),
            ("hhea", hhea),
            ("hmtx", hmtx),
            ("loca", [.. offsets.SelectMany(o => o)]),
            ("maxp", maxp),
            ("prep", Font.Table("prep").ToArray()),
        ]);
    }

    private ushort Use(ushort glyph, int character)
    {
        if (!_numbers.TryGetValue(glyph, out var number))
        {
            _numbers[glyph] = number = (ushort)_glyphs.Count;
            _glyphs.Add(glyph);
            _characters.Add(character);
        }
        else if (_characters[number] < 0)
        {
            _characters[number] = character;
        }

        return number;
    }

    // A composed glyph (é = e + ´) names its parts by number: negative contour count, then records of flags, number,
    // offsets and scale.
    private byte[] Renumber(byte[] outline)
    {
        const int wordOffsets = 0x01,
            scale = 0x08,
            more = 0x20,
            twoScales = 0x40,
            matrix = 0x80;
        if (outline.Length == 0 || BinaryPrimitives.ReadInt16BigEndian(outline) >= 0)
            return outline;

        for (int at = 10, flags = more; (flags & more) != 0; )
        {
            flags = BinaryPrimitives.ReadUInt16BigEndian(outline.AsSpan(at));
            U16(Use(BinaryPrimitives.ReadUInt16BigEndian(outline.AsSpan(at + 2)), -1)).CopyTo(outline, at + 2);
            at +=
                4
                + ((flags & wordOffsets) != 0 ? 4 : 2)
                + (
                    (flags & scale) != 0 ? 2
                    : (flags & twoScales) != 0 ? 4
                    : (flags & matrix) != 0 ? 8
                    : 0
                );
        }

        return outline;
    }

    // Readers of embedded fonts do not look at checksums; they stay zero.
    private static byte[] Assemble((string Tag, byte[] Bytes)[] tables)
    {
        var present = tables.Where(t => t.Bytes.Length > 0).ToArray();
        var (directory, body) = (new MemoryStream(), new MemoryStream());
        var power = (ushort)Math.Log2(present.Length);
        directory.Write([
            0,
            1,
            0,
            0,
            .. U16((ushort)present.Length),
            .. U16((ushort)(16 << power)),
            .. U16(power),
            .. U16((ushort)((16 * present.Length) - (16 << power))),
        ]);
        foreach (var (tag, bytes) in present)
        {
            directory.Write([
                .. Encoding.ASCII.GetBytes(tag),
                0,
                0,
                0,
                0,
                .. U32((uint)(12 + (16 * present.Length) + body.Length)),
                .. U32((uint)bytes.Length),
            ]);
            body.Write(bytes);
            while (body.Length % 4 != 0)
                body.WriteByte(0);
        }

        return [.. directory.ToArray(), .. body.ToArray()];
    }

    private static byte[] U16(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] U32(uint value) =>
        [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
