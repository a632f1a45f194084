using HarfBuzzSharp;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>How a font draws its glyphs.</summary>
internal enum GlyphKind
{
    /// <summary>TrueType outlines.</summary>
    TrueType,

    /// <summary>Compact Font Format outlines.</summary>
    Cff,

    /// <summary>A picture for each glyph, as in the font of the emoji.</summary>
    Picture,
}

/// <summary>
/// A font file as HarfBuzz opened it. The file is mapped, not read: of the 20 MB of Chinese characters only the pages in
/// use take memory. Used by many threads at a time, because it never changes.
/// </summary>
#pragma warning disable CA1001 // Fonts are opened once and live as long as the process.
internal sealed class FontFace
#pragma warning restore CA1001
{
    private readonly Lazy<nint> _subsetSource;

    /// <summary>Opens a font; of a collection its first.</summary>
    /// <exception cref="InvalidDataException">The file is no font.</exception>
    public FontFace(string path)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        Failpoint.Hit("invoice.before_read_font", Outside.File);
        // The face keeps the file open for as long as it lives.
        using var file = Blob.FromFile(path);
        file.MakeImmutable();
        Face = new Face(file, 0);
        Face.MakeImmutable();
        if (Face.GlyphCount == 0)
        {
            throw new InvalidDataException(
                $"Expected a font in {path}, found none that HarfBuzz can read; install the font's package again."
            );
        }

        Font = new Font(Face);
        Font.SetFunctionsOpenType();
        Kind =
            Face.HasColorPng ? GlyphKind.Picture
            : Face.Tables.Contains(Tag.Parse("CFF ")) ? GlyphKind.Cff
            : GlyphKind.TrueType;
        // What every subset needs to know is worked out once, when the first one is made.
        _subsetSource = new(() => Kind == GlyphKind.TrueType ? HarfBuzzNative.Preprocess(Face.Handle) : Face.Handle);
    }

    /// <summary>The file's name without its end.</summary>
    public string Name { get; }

    /// <summary>How its glyphs are drawn.</summary>
    public GlyphKind Kind { get; }

    /// <summary>HarfBuzz's face.</summary>
    public Face Face { get; }

    /// <summary>HarfBuzz's font, in the face's own units.</summary>
    public Font Font { get; }

    /// <summary>Units of one font size.</summary>
    public int UnitsPerEm => Face.UnitsPerEm;

    /// <summary>What subsets are made of.</summary>
    public nint SubsetSource => _subsetSource.Value;

    /// <summary>Whether it has a glyph for every character of a cluster that is drawn.</summary>
    public bool Covers(ReadOnlySpan<char> cluster)
    {
        foreach (var rune in cluster.EnumerateRunes())
        {
            if (!TextShaper.IsInvisible(rune.Value) && !Font.TryGetNominalGlyph(rune.Value, out _))
                return false;
        }

        return true;
    }

    /// <summary>How far a glyph moves the pen, in thousandths of the font size.</summary>
    public int WidthOf(uint glyph) => (int)Math.Round(1000.0 * Font.GetHorizontalGlyphAdvance(glyph) / UnitsPerEm);
}
