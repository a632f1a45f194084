using System.Buffers.Binary;
using UglyToad.PdfPig.Tokens;
using static Orders.Workers.Invoice.Pdf.PdfFile;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The picture that a colour font has for a glyph. The font brings it as a PNG file with a palette, and PDF knows the
/// same compression: the pixels go into the document as they are.
/// </summary>
internal sealed class EmojiPicture
{
    private readonly int _width;
    private readonly int _height;
    private readonly int _bits;
    private readonly byte[] _palette;
    private readonly byte[] _pixels;

    private EmojiPicture(int width, int height, int bits, byte[] palette, byte[] pixels)
    {
        (_width, _height, _bits) = (width, height, bits);
        (_palette, _pixels) = (palette, pixels);
    }

    /// <summary>The picture of a glyph; null when the font has none with a palette.</summary>
    public static EmojiPicture? Of(FontFace face, uint glyph)
    {
        const byte withPalette = 3;
        var png = HarfBuzzNative.TakeBytes(HarfBuzzNative.ReferencePng(face.Font.Handle, glyph)).AsSpan();
        // Signature, then IHDR: width, height, bits per pixel, kind, and two methods of which there is one each.
        if (png.Length < 33 || png[25] != withPalette || png[28] != 0)
            return null;
        var (width, height, bits) = (
            BinaryPrimitives.ReadInt32BigEndian(png[16..]),
            BinaryPrimitives.ReadInt32BigEndian(png[20..]),
            (int)png[24]
        );
        byte[] palette = [],
            opacity = [];
        var pixels = new List<byte>();
        for (var rest = png[8..]; rest.Length >= 12; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            var kind = rest[4..8];
            var data = rest.Slice(8, length);
            if (kind.SequenceEqual("PLTE"u8))
                palette = data.ToArray();
            else if (kind.SequenceEqual("tRNS"u8))
                opacity = data.ToArray();
            else if (kind.SequenceEqual("IDAT"u8))
                pixels.AddRange(data);
            rest = rest[(length + 12)..];
        }

        return new EmojiPicture(width, height, bits, OnWhite(palette, opacity), [.. pixels]);
    }

    /// <summary>Adds the picture to a file.</summary>
    public IndirectReferenceToken AddTo(PdfFile file) =>
        file.AddPacked(
            _pixels,
            ("Type", Name("XObject")),
            ("Subtype", Name("Image")),
            ("Width", Number(_width)),
            ("Height", Number(_height)),
            ("BitsPerComponent", Number(_bits)),
            ("ColorSpace", Array(Name("Indexed"), Name("DeviceRGB"), Number((_palette.Length / 3) - 1), Hex(_palette))),
            (
                "DecodeParms",
                Dictionary(
                    ("Predictor", Number(15)),
                    ("Colors", Number(1)),
                    ("BitsPerComponent", Number(_bits)),
                    ("Columns", Number(_width))
                )
            )
        );

    // The page is white, so a half transparent colour is a lighter one.
    private static byte[] OnWhite(byte[] palette, byte[] opacity)
    {
        var colours = (byte[])palette.Clone();
        for (var i = 0; i < Math.Min(opacity.Length * 3, colours.Length); i++)
        {
            var alpha = opacity[i / 3];
            colours[i] = (byte)(((colours[i] * alpha) + (255 * (255 - alpha)) + 127) / 255);
        }

        return colours;
    }
}
