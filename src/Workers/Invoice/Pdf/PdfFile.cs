using System.IO.Compression;
using System.Text;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Tokens;
using UglyToad.PdfPig.Writer;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The objects of a PDF file, written by PdfPig as they come. Nothing in the file depends on the clock or on chance.
/// </summary>
internal sealed class PdfFile : IDisposable
{
    private readonly MemoryStream _file = new(16 * 1024);
    private readonly Dictionary<IndirectReference, long> _places = [];
    private int _objects;

    /// <summary>Begins a file.</summary>
    // The second line's high bytes tell transfer programs that this is no text.
    public PdfFile() => _file.Write([.. "%PDF-1.7\n%"u8, 0xE2, 0xE3, 0xCF, 0xD3, (byte)'\n']);

    /// <summary>Takes the next number, for an object that others name before it is written.</summary>
    public IndirectReferenceToken Reserve() => new(new IndirectReference(++_objects, 0));

    /// <summary>Writes an object.</summary>
    public IndirectReferenceToken Add(IToken content) => Set(Reserve(), content);

    /// <summary>Writes a reserved object.</summary>
    public IndirectReferenceToken Set(IndirectReferenceToken reference, IToken content)
    {
        _places[reference.Data] = _file.Position;
        TokenWriter.Instance.WriteToken(
            new ObjectToken(XrefLocation.File(_file.Position), reference.Data, content),
            _file
        );
        return reference;
    }

    /// <summary>Writes data, compressed.</summary>
    /// <param name="data">The data.</param>
    /// <param name="entries">Further entries of the stream's dictionary.</param>
    public IndirectReferenceToken AddStream(ReadOnlySpan<byte> data, params (string Name, IToken Value)[] entries)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(data);
        return AddPacked(packed.ToArray(), entries);
    }

    /// <summary>Writes data that are compressed already.</summary>
    public IndirectReferenceToken AddPacked(byte[] packed, params (string Name, IToken Value)[] entries) =>
        Add(
            new StreamToken(
                Dictionary([("Filter", Name("FlateDecode")), ("Length", Number(packed.Length)), .. entries]),
                packed
            )
        );

    /// <summary>The finished file.</summary>
    /// <param name="catalog">The catalogue.</param>
    /// <param name="information">The document's information.</param>
    /// <param name="id">What tells this document from all others: 16 bytes.</param>
    public byte[] Save(IndirectReferenceToken catalog, IndirectReferenceToken information, ReadOnlySpan<byte> id)
    {
        var trailer = (int)_file.Position;
        TokenWriter.Instance.WriteCrossReferenceTable(_places, catalog.Data, _file, information.Data, null);
        var bytes = _file.ToArray();
        // PdfPig draws the two halves of the id at random; ours follows from the document.
        var at = trailer + bytes.AsSpan(trailer).IndexOf("/ID"u8);
        for (var half = 0; half < 2; half++)
        {
            at += bytes.AsSpan(at).IndexOf((byte)'<') + 1;
            Encoding.ASCII.GetBytes(Convert.ToHexString(id)).CopyTo(bytes, at);
        }

        return bytes;
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    /// <summary>A dictionary.</summary>
    public static DictionaryToken Dictionary(params IEnumerable<(string Name, IToken Value)> entries) =>
        new(entries.ToDictionary(e => NameToken.Create(e.Name), e => e.Value));

    /// <summary>An array.</summary>
    public static ArrayToken Array(params IEnumerable<IToken> items) => new([.. items]);

    /// <summary>A name.</summary>
    public static NameToken Name(string name) => NameToken.Create(name);

    /// <summary>A number.</summary>
    public static NumericToken Number(double value) => new(value);

    /// <summary>
    /// A text: UTF-16 in hexadecimal digits, so that no character of it can mean anything else.
    /// </summary>
    public static HexToken Text(string text) =>
        new("FEFF" + Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text)));

    /// <summary>Bytes as they are.</summary>
    public static HexToken Hex(ReadOnlySpan<byte> bytes) => new(Convert.ToHexString(bytes));
}
