using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orders.Workers.Invoice.Pdf;
using static Orders.Workers.Invoice.Pdf.PdfFile;

namespace Orders.Workers.Invoice;

/// <summary>Makes a file of written pages.</summary>
internal static class InvoiceFile
{
    /// <summary>Makes the file.</summary>
    /// <param name="document">The document, for its number, seller, language and id.</param>
    /// <param name="text">The text on the pages.</param>
    /// <param name="pages">The pages.</param>
    public static byte[] Save(InvoiceDocument document, InvoiceText text, List<InvoicePage> pages)
    {
        using var file = new PdfFile();
        var tree = file.Reserve();
        var contents = pages.ConvertAll(page => file.AddStream(page.Content));
        var kids = contents.ConvertAll(content =>
            file.Add(Dictionary(("Type", Name("Page")), ("Parent", tree), ("Contents", content)))
        );
        file.Set(
            tree,
            Dictionary(
                ("Type", Name("Pages")),
                ("Count", Number(kids.Count)),
                ("Kids", Array(kids)),
                ("MediaBox", Array(Number(0), Number(0), Number(InvoicePage.Width), Number(InvoicePage.Height))),
                ("Resources", text.AddTo(file))
            )
        );
        var catalog = file.Add(
            Dictionary(
                ("Type", Name("Catalog")),
                ("Pages", tree),
                ("Lang", Hex(Encoding.ASCII.GetBytes(document.Language)))
            )
        );
        var created = document.IssuedAt.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        var information = file.Add(
            Dictionary(
                ("Title", Text(document.Number)),
                ("Author", Text(document.Seller)),
                ("CreationDate", Text($"D:{created}Z")),
                ("Producer", Text("Orders"))
            )
        );
        return file.Save(
            catalog,
            information,
            SHA256.HashData(Encoding.UTF8.GetBytes(document.Identity)).AsSpan(0, 16)
        );
    }
}
