using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HarfBuzzSharp;
using UglyToad.PdfPig.Tokens;
using static Orders.Workers.Invoice.Pdf.PdfFile;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The glyphs of one font that one document shows, as a composite font (ISO 32000-1, 9.7): two bytes a glyph, with the
/// map back to the text. HarfBuzz makes the font file of these glyphs.
/// </summary>
internal sealed class EmbeddedFont(FontFace face, string resource)
{
    private static readonly string[] Dropped =
    [
        "BASE",
        "GDEF",
        "GPOS",
        "GSUB",
        "OS/2",
        "STAT",
        "VORG",
        "cmap",
        "gasp",
        "hdmx",
        "meta",
        "name",
        "post",
        "vhea",
        "vmtx",
    ];

    private readonly Dictionary<uint, int> _places = new() { [0] = 0 };
    private readonly List<(uint Glyph, string? Text)> _glyphs = [(0, null)];

    /// <summary>The font.</summary>
    public FontFace Face { get; } = face;

    /// <summary>The font's name on the pages.</summary>
    public string Resource { get; } = resource;

    /// <summary>The code that shows a glyph.</summary>
    /// <remarks>
    /// In TrueType fonts the glyphs get new numbers in the order of their first use. CFF fonts keep theirs, because the
    /// font file itself names each glyph by its old number.
    /// </remarks>
    public ushort CodeOf(uint glyph) => CodeAt(PlaceOf(glyph));

    /// <summary>
    /// Says that a glyph stands for a text. False when it stands for another one already, or for a missing character:
    /// then the text must be named where the glyph is shown.
    /// </summary>
    public bool Means(uint glyph, string text)
    {
        if (glyph == 0)
            return false;
        var place = PlaceOf(glyph);
        if (_glyphs[place].Text is null)
            _glyphs[place] = (glyph, text);
        return _glyphs[place].Text == text;
    }

    /// <summary>Adds the font to a file.</summary>
    public IndirectReferenceToken AddTo(PdfFile file)
    {
        var isCff = Face.Kind == GlyphKind.Cff;
        var program = Subset();
        // A tag of six letters tells subsets of the same font apart when documents are merged; taken from the contents,
        // it is no game of chance.
        var tag = new string([.. SHA256.HashData(program).Take(6).Select(b => (char)('A' + (b % 26)))]);
        var name = Name($"{tag}+{Face.Name}");
        var data = isCff
            ? file.AddStream(program, ("Subtype", Name("CIDFontType0C")))
            : file.AddStream(program, ("Length1", Number(program.Length)));
        Face.Font.TryGetHorizontalFontExtents(out var extents);
        var (ascent, descent) = (Number(Units(extents.Ascender)), Number(Units(extents.Descender)));
        var descriptor = file.Add(
            Dictionary(
                ("Type", Name("FontDescriptor")),
                ("FontName", name),
                ("Flags", Number(4)),
                ("FontBBox", Array(Number(-1000), descent, Number(2000), ascent)),
                ("ItalicAngle", Number(0)),
                ("Ascent", ascent),
                ("Descent", descent),
                ("CapHeight", ascent),
                ("StemV", Number(80)),
                (isCff ? "FontFile3" : "FontFile2", data)
            )
        );
        var descendant = file.Add(
            Dictionary([
                ("Type", Name("Font")),
                ("Subtype", Name(isCff ? "CIDFontType0" : "CIDFontType2")),
                ("BaseFont", name),
                (
                    "CIDSystemInfo",
                    Dictionary(("Registry", Hex("Adobe"u8)), ("Ordering", Hex("Identity"u8)), ("Supplement", Number(0)))
                ),
                ("FontDescriptor", descriptor),
                ("W", Widths()),
                .. (isCff ? [] : new (string, IToken)[] { ("CIDToGIDMap", Name("Identity")) }),
            ])
        );
        return file.Add(
            Dictionary(
                ("Type", Name("Font")),
                ("Subtype", Name("Type0")),
                ("BaseFont", name),
                ("Encoding", Name("Identity-H")),
                ("DescendantFonts", Array(descendant)),
                ("ToUnicode", file.AddStream(Encoding.ASCII.GetBytes(UnicodeMap())))
            )
        );
    }

    private int PlaceOf(uint glyph)
    {
        if (!_places.TryGetValue(glyph, out var place))
        {
            _places[glyph] = place = _glyphs.Count;
            _glyphs.Add((glyph, null));
        }

        return place;
    }

    private ushort CodeAt(int place) => Face.Kind == GlyphKind.Cff ? (ushort)_glyphs[place].Glyph : (ushort)place;

    // Codes in a row share one entry; those of a CFF font are seldom in a row.
    private ArrayToken Widths() =>
        Face.Kind == GlyphKind.Cff
            ? Array(_glyphs.SelectMany(g => new IToken[] { Number(g.Glyph), Array(Number(Face.WidthOf(g.Glyph))) }))
            : Array(Number(0), Array(_glyphs.Select(g => Number(Face.WidthOf(g.Glyph)))));

    private int Units(int length) => (int)Math.Round(1000.0 * length / Face.UnitsPerEm);

    private byte[] Subset()
    {
        var input = HarfBuzzNative.CreateInput();
        try
        {
            HarfBuzzNative.SetFlags(
                input,
                HarfBuzzNative.SubsetNoHinting
                    | HarfBuzzNative.SubsetNotdefOutline
                    | HarfBuzzNative.SubsetNoLayoutClosure
            );
            var dropped = HarfBuzzNative.Set(input, HarfBuzzNative.SetOfDroppedTables);
            foreach (var table in Dropped)
                HarfBuzzNative.Add(dropped, Tag.Parse(table));
            var (glyphs, mapping) = (HarfBuzzNative.GlyphSet(input), HarfBuzzNative.GlyphMapping(input));
            for (var place = 0; place < _glyphs.Count; place++)
            {
                HarfBuzzNative.Add(glyphs, _glyphs[place].Glyph);
                if (Face.Kind == GlyphKind.TrueType)
                    HarfBuzzNative.Put(mapping, _glyphs[place].Glyph, (uint)place);
            }

            var subset = HarfBuzzNative.Subset(Face.SubsetSource, input);
            if (subset == 0)
            {
                throw new InvalidDataException(
                    $"Expected HarfBuzz to make a subset of {Face.Name}, it failed; install the font's package again."
                );
            }

            try
            {
                return HarfBuzzNative.TakeBytes(
                    Face.Kind == GlyphKind.Cff
                        ? HarfBuzzNative.ReferenceTable(subset, Tag.Parse("CFF "))
                        : HarfBuzzNative.ReferenceBlob(subset)
                );
            }
            finally
            {
                HarfBuzzNative.DestroyFace(subset);
            }
        }
        finally
        {
            HarfBuzzNative.DestroyInput(input);
        }
    }

    private string UnicodeMap()
    {
        var map = new StringBuilder()
            .Append("/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CIDSystemInfo<</Registry(Adobe)")
            .Append("/Ordering(UCS)/Supplement 0>>def/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n")
            .Append("1 begincodespacerange<0000><FFFF>endcodespacerange\n");
        // The format allows 100 entries in a block.
        foreach (var block in _glyphs.Where(g => g.Text is not null).Chunk(100))
        {
            map.Append(CultureInfo.InvariantCulture, $"{block.Length} beginbfchar\n");
            foreach (var (glyph, text) in block)
            {
                var unicode = Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text!));
                map.Append(CultureInfo.InvariantCulture, $"<{CodeOf(glyph):X4}><{unicode}>\n");
            }

            map.Append("endbfchar\n");
        }

        return map.Append("endcmap CMapName currentdict/CMap defineresource pop end end").ToString();
    }
}
