using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// Puts a subset into a file as a composite font (ISO 32000-1, 9.7): two bytes a character, so that no script runs out
/// of numbers, with the map back to Unicode.
/// </summary>
internal static class EmbeddedFont
{
    /// <summary>Adds the font.</summary>
    /// <returns>The number of its object.</returns>
    public static int AddTo(PdfFile file, FontSubset subset)
    {
        var font = subset.Font;
        var program = subset.Write();
        // A tag of six letters tells subsets of the same font apart when documents are merged; taken from the contents,
        // it is no game of chance.
        var name =
            $"{new string([.. SHA256.HashData(program).Take(6).Select(b => (char)('A' + (b % 26)))])}+{font.Name}";

        var data = file.AddStream(program, $"/Length1 {program.Length}");
        var descriptor = file.Add(
            $"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{Units(font, font.Box.Left)} {Units(font, font.Box.Bottom)} {Units(font, font.Box.Right)} {Units(font, font.Box.Top)}]"
                + $"/ItalicAngle 0/Ascent {Units(font, font.Ascent)}/Descent {Units(font, font.Descent)}/CapHeight {Units(font, font.Ascent)}/StemV 80/FontFile2 {data} 0 R>>"
        );
        var widths = string.Join(' ', Enumerable.Range(0, subset.Count).Select(subset.WidthOf));
        var descendant = file.Add(
            $"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {descriptor} 0 R/W[0[{widths}]]/CIDToGIDMap/Identity>>"
        );
        var unicode = file.AddStream(Encoding.ASCII.GetBytes(UnicodeMap(subset.Characters)));
        return file.Add(
            $"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H/DescendantFonts[{descendant} 0 R]/ToUnicode {unicode} 0 R>>"
        );
    }

    private static int Units(TrueTypeFont font, int length) => (int)Math.Round(1000.0 * length / font.UnitsPerEm);

    private static string UnicodeMap(IReadOnlyList<int> characters)
    {
        var map = new StringBuilder()
            .Append(
                "/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n"
            )
            .Append("1 begincodespacerange<0000><FFFF>endcodespacerange\n");
        // The format allows 100 entries in a block.
        foreach (
            var block in characters
                .Select((character, number) => (character, number))
                .Where(c => c.character >= 0)
                .Chunk(100)
        )
        {
            map.Append(CultureInfo.InvariantCulture, $"{block.Length} beginbfchar\n");
            foreach (var (character, number) in block)
                map.Append(
                    CultureInfo.InvariantCulture,
                    $"<{number:X4}><{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(char.ConvertFromUtf32(character)))}>\n"
                );
            map.Append("endbfchar\n");
        }

        return map.Append("endcmap CMapName currentdict/CMap defineresource pop end end").ToString();
    }
}
