using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orders.Infrastructure;
using Orders.Infrastructure.Invoices;
using Orders.Workers.Invoice.Pdf;

namespace Orders.Workers.Invoice;

/// <summary>
/// Renders an invoice, or the credit note that takes it back, from the invoice's snapshot. The same snapshot gives the
/// same bytes, so a run after a crash makes the very document that may have been made before.
/// </summary>
public sealed class InvoicePdf(InvoiceFonts fonts)
{
    private const double LeftEdge = 50;
    private const double RightEdge = 545;
    private const double Bottom = 770;
    private const double RowHeight = 14;
    private const double Body = 9;
    private const double NameColumn = 175;
    private const double NameWidth = 170;
    private const double QuantityColumn = 400;
    private const double PriceColumn = 465;

    /// <summary>Renders an invoice.</summary>
    /// <returns>A PDF, A4.</returns>
    public byte[] Render(IssuedInvoice invoice) => Render(invoice.Snapshot, InvoiceDocument.Of(invoice));

    /// <summary>Renders a credit note.</summary>
    /// <returns>A PDF, A4.</returns>
    public byte[] Render(IssuedCreditNote note) => Render(note.Invoice.Snapshot, InvoiceDocument.Of(note));

    private byte[] Render(InvoiceSnapshot snapshot, InvoiceDocument document)
    {
        var text = new InvoiceText(fonts);
        var pages = new List<InvoicePage> { new(text) };
        var y = First(pages[0], snapshot, document);
        foreach (var line in snapshot.Lines)
            y = Row(text, pages, line, snapshot.Currency, document.Sign, y);
        Total(text, pages, snapshot, document.Sign, y);
        for (var i = 0; i < pages.Count; i++)
        {
            pages[i].Left($"{snapshot.Seller.Name} · {document.Number}", LeftEdge, 810, 7);
            pages[i]
                .Right(
                    string.Create(CultureInfo.InvariantCulture, $"Page {i + 1} of {pages.Count}"),
                    RightEdge,
                    810,
                    7
                );
        }

        return Save(snapshot, document, text, pages);
    }

    private static byte[] Save(
        InvoiceSnapshot snapshot,
        InvoiceDocument document,
        InvoiceText text,
        List<InvoicePage> pages
    )
    {
        var file = new PdfFile();
        var (catalog, tree) = (file.Reserve(), file.Reserve());
        var contents = pages.ConvertAll(page => file.AddStream(page.Content));
        var fonts = string.Concat(text.Subsets.Select(s => $"/{s.Resource} {EmbeddedFont.AddTo(file, s)} 0 R"));
        var kids = contents.ConvertAll(c => file.Add($"<</Type/Page/Parent {tree} 0 R/Contents {c} 0 R>>"));
        file.Set(
            tree,
            $"<</Type/Pages/Count {kids.Count}/Kids[{string.Join(' ', kids.Select(k => $"{k} 0 R"))}]"
                + $"/MediaBox[0 0 {PdfFile.Number(InvoicePage.Width)} {PdfFile.Number(InvoicePage.Height)}]/Resources<</Font<<{fonts}>>>>>>"
        );
        file.Set(catalog, $"<</Type/Catalog/Pages {tree} 0 R>>");
        var created = document.IssuedAt.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        var information = file.Add(
            $"<</Title{PdfFile.Text(document.Number)}/Author{PdfFile.Text(snapshot.Seller.Name)}/CreationDate(D:{created}Z)/Producer(Orders)>>"
        );
        return file.Save(catalog, information, SHA256.HashData(Encoding.ASCII.GetBytes(document.Identity))[..16]);
    }

    private static double First(InvoicePage page, InvoiceSnapshot snapshot, InvoiceDocument document)
    {
        var seller = snapshot.Seller;
        page.Left(seller.Name, LeftEdge, 65, 14, bold: true);
        page.Left(seller.Address, LeftEdge, 80, 8);
        page.Left($"Tax ID {seller.TaxId}", LeftEdge, 91, 8);
        page.Right(document.Title, RightEdge, 65, 18, bold: true);

        page.Right($"Number {document.Number}", RightEdge, 130, Body, bold: true);
        page.Right($"Date {Date(document.IssuedAt)}", RightEdge, 144, Body);
        page.Right(
            $"Order {OrderNumber.Format(snapshot.OrderNumber)} of {Date(snapshot.OrderedAt)}",
            RightEdge,
            158,
            Body
        );
        if (document.Reference is { } reference)
            page.Right(reference, RightEdge, 172, Body);

        var y = 130.0;
        foreach (
            var text in (string[])
                [
                    snapshot.CustomerName,
                    snapshot.Address.Line1,
                    $"{snapshot.Address.PostalCode} {snapshot.Address.City}".TrimStart(),
                    snapshot.Address.Country,
                ]
        )
        {
            foreach (var line in page.Wrap(text, 290, 10))
            {
                page.Left(line, LeftEdge, y, 10);
                y += 14;
            }
        }

        return Head(page, Math.Max(y + 30, 220));
    }

    private static double Head(InvoicePage page, double y)
    {
        page.Left("Article", LeftEdge, y, Body, bold: true);
        page.Left("Description", NameColumn, y, Body, bold: true);
        page.Right("Quantity", QuantityColumn, y, Body, bold: true);
        page.Right("Unit price", PriceColumn, y, Body, bold: true);
        page.Right("Amount", RightEdge, y, Body, bold: true);
        page.Rule(LeftEdge, RightEdge, y + 5);
        return y + 5 + RowHeight;
    }

    private static double Row(
        InvoiceText text,
        List<InvoicePage> pages,
        InvoiceLine line,
        string currency,
        int sign,
        double y
    )
    {
        var name = pages[^1].Wrap(line.Name, NameWidth, Body);
        y = Continue(text, pages, y, (name.Count - 1) * RowHeight);
        var page = pages[^1];
        page.Left(line.Sku, LeftEdge, y, 8);
        page.Right(line.Quantity.ToString(CultureInfo.InvariantCulture), QuantityColumn, y, Body);
        page.Right(Money.Format(line.UnitPrice, currency), PriceColumn, y, Body);
        page.Right(Money.Format(sign * line.Total, currency), RightEdge, y, Body);
        foreach (var words in name)
        {
            page.Left(words, NameColumn, y, Body);
            y += RowHeight;
        }

        return y;
    }

    private static void Total(InvoiceText text, List<InvoicePage> pages, InvoiceSnapshot snapshot, int sign, double y)
    {
        y = Continue(text, pages, y, 2 * RowHeight);
        pages[^1].Rule(LeftEdge, RightEdge, y - 8);
        pages[^1].Left($"Total ({snapshot.Currency})", NameColumn, y + 6, 10, bold: true);
        pages[^1].Right(Money.Format(sign * snapshot.Total, snapshot.Currency), RightEdge, y + 6, 10, bold: true);
    }

    // Goes on below, or on a new page under the same head when the rest of this one is too short.
    private static double Continue(InvoiceText text, List<InvoicePage> pages, double y, double height)
    {
        if (y + height <= Bottom)
            return y;
        pages.Add(new InvoicePage(text));
        return Head(pages[^1], 60);
    }

    private static string Date(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
