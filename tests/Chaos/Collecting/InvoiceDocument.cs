using System.Security.Cryptography;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Core;

namespace Orders.Chaos.Collecting;

/// <summary>Looks at a document as a stranger would: does it open, is it what was signed off.</summary>
internal static class InvoiceDocument
{
    /// <summary>What is wrong with it; null when nothing is.</summary>
    public static string? ProblemWith(byte[]? pdf, byte[]? sha256)
    {
        if (pdf is null || sha256 is null)
            return "is missing";
        if (!SHA256.HashData(pdf).AsSpan().SequenceEqual(sha256))
            return "does not match its checksum";
        try
        {
            using var document = PdfDocument.Open(pdf);
            return document.NumberOfPages > 0 && document.GetPage(1).Letters.Count > 0 ? null : "opens and is empty";
        }
        catch (PdfDocumentFormatException fault)
        {
            return $"does not open: {fault.Message}";
        }
    }
}
