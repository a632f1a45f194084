using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The skeleton of a PDF file (ISO 32000-1): numbered objects, the table of their places, the trailer. Nothing in it
/// depends on the clock or on chance.
/// </summary>
internal sealed class PdfFile
{
    private readonly List<byte[]?> _objects = [];

    /// <summary>Takes the next number, for an object that others name before it is written.</summary>
    public int Reserve()
    {
        _objects.Add(null);
        return _objects.Count;
    }

    /// <summary>Adds an object.</summary>
    /// <returns>Its number.</returns>
    public int Add(string body)
    {
        var number = Reserve();
        Set(number, body);
        return number;
    }

    /// <summary>Writes a reserved object.</summary>
    public void Set(int number, string body) => _objects[number - 1] = Encoding.ASCII.GetBytes(body);

    /// <summary>Adds compressed data.</summary>
    /// <param name="data">The data.</param>
    /// <param name="entries">Further entries of the stream's dictionary.</param>
    public int AddStream(byte[] data, string entries = "")
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(data);
        var number = Reserve();
        _objects[number - 1] =
        [
            .. Encoding.ASCII.GetBytes($"<</Filter/FlateDecode/Length {packed.Length}{entries}>>stream\n"),
            .. packed.GetBuffer().AsSpan(0, (int)packed.Length),
            .. "\nendstream"u8,
        ];
        return number;
    }

    /// <summary>
    /// A text in the form of a PDF string: UTF-16 in hexadecimal digits, so that no character of it can mean anything
    /// else.
    /// </summary>
    public static string Text(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    /// <summary>A number as PDF writes it.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>The finished file.</summary>
    /// <param name="catalog">The number of the catalogue.</param>
    /// <param name="information">The number of the document's information.</param>
    /// <param name="id">What tells this document from all others: 16 bytes.</param>
    public byte[] Save(int catalog, int information, byte[] id)
    {
        using var file = new MemoryStream();
        // The second line's high bytes tell transfer programs that this is no text.
        file.Write([.. "%PDF-1.7\n%"u8, 0xE2, 0xE3, 0xCF, 0xD3, (byte)'\n']);
        var places = new StringBuilder("0000000000 65535 f \n");
        for (var i = 0; i < _objects.Count; i++)
        {
            places.Append(CultureInfo.InvariantCulture, $"{file.Length:D10} 00000 n \n");
            file.Write(Encoding.ASCII.GetBytes($"{i + 1} 0 obj\n"));
            file.Write(
                _objects[i]
                    ?? throw new InvalidOperationException(
                        $"Expected object {i + 1} to be written, found it only reserved."
                    )
            );
            file.Write("\nendobj\n"u8);
        }

        var (size, digits, start) = (_objects.Count + 1, Convert.ToHexString(id), file.Length);
        file.Write(
            Encoding.ASCII.GetBytes(
                $"xref\n0 {size}\n{places}trailer\n<</Size {size}/Root {catalog} 0 R/Info {information} 0 R/ID[<{digits}><{digits}>]>>\nstartxref\n{start}\n%%EOF\n"
            )
        );
        return file.ToArray();
    }
}
