using Orders.Infrastructure.Invoices;

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
    private const double NameWidth = 155;
    private const double QuantityColumn = 372;
    private const double PriceColumn = 436;
    private const double VatColumn = 468;
    private const double NetColumn = 372;
    private const double TaxColumn = 448;

    /// <summary>Renders an invoice.</summary>
    /// <returns>A PDF, A4.</returns>
    public byte[] Render(IssuedInvoice invoice) => Render(InvoiceDocument.Of(invoice));

    /// <summary>Renders a credit note.</summary>
    /// <returns>A PDF, A4.</returns>
    public byte[] Render(IssuedCreditNote note) => Render(InvoiceDocument.Of(note));

    private byte[] Render(InvoiceDocument document)
    {
        var text = new InvoiceText(fonts);
        var pages = new List<InvoicePage> { new(text) };
        var y = First(pages[0], document);
        foreach (var row in document.Rows)
            y = Row(text, pages, document, row, y);
        Sums(text, pages, document, y);
        for (var i = 0; i < pages.Count; i++)
        {
            pages[i].Left(document.Footer, LeftEdge, 810, 7);
            pages[i].Right(document.PageOf(i + 1, pages.Count), RightEdge, 810, 7);
        }

        return InvoiceFile.Save(document, text, pages);
    }

    private static double First(InvoicePage page, InvoiceDocument document)
    {
        page.Left(document.Seller, LeftEdge, 65, 14, bold: true);
        for (var i = 0; i < document.SellerDetails.Count; i++)
            page.Left(document.SellerDetails[i], LeftEdge, 80 + 11 * i, 8);
        page.Right(document.Title, RightEdge, 65, 18, bold: true);
        for (var i = 0; i < document.Facts.Count; i++)
            page.Right(document.Facts[i], RightEdge, 130 + RowHeight * i, Body, bold: i == 0);

        var y = 130.0;
        foreach (var line in document.Recipient.SelectMany(text => page.Wrap(text, 290, 10)))
        {
            page.Left(line, LeftEdge, y, 10);
            y += 14;
        }

        return Head(page, document, Math.Max(y + 30, 220));
    }

    private static double Head(InvoicePage page, InvoiceDocument document, double y)
    {
        Cells(page, document.Heads, y, bold: true);
        page.Left(document.Heads.Article, LeftEdge, y, Body, bold: true);
        page.Left(document.Heads.Description, NameColumn, y, Body, bold: true);
        page.Rule(LeftEdge, RightEdge, y + 5);
        return y + 5 + RowHeight;
    }

    private static double Row(
        InvoiceText text,
        List<InvoicePage> pages,
        InvoiceDocument document,
        InvoiceRow row,
        double y
    )
    {
        var name = pages[^1].Wrap(row.Description, NameWidth, Body);
        y = Continue(text, pages, document, y, (name.Count - 1) * RowHeight);
        var page = pages[^1];
        page.Left(row.Article, LeftEdge, y, 8);
        Cells(page, row, y);
        foreach (var words in name)
        {
            page.Left(words, NameColumn, y, Body);
            y += RowHeight;
        }

        return y;
    }

    // The sums stay together: with their rule, the total and the note.
    private static void Sums(InvoiceText text, List<InvoicePage> pages, InvoiceDocument document, double y)
    {
        y = Continue(text, pages, document, y, (3 + document.Sums.Count) * RowHeight);
        var page = pages[^1];
        page.Rule(LeftEdge, RightEdge, y - 8);
        y += 6;
        foreach (var sum in document.Sums)
        {
            Sum(page, sum, y, Body);
            y += RowHeight;
        }

        Sum(page, document.Total, y, 10, bold: true);
        page.Left(document.Note, NameColumn, y + RowHeight, 8);
    }

    private static void Sum(InvoicePage page, InvoiceSum sum, double y, double size, bool bold = false)
    {
        page.Left(sum.Label, NameColumn, y, size, bold);
        page.Right(sum.Net, NetColumn, y, size, bold);
        page.Right(sum.Tax, TaxColumn, y, size, bold);
        page.Right(sum.Gross, RightEdge, y, size, bold);
    }

    private static void Cells(InvoicePage page, InvoiceRow row, double y, bool bold = false)
    {
        page.Right(row.Quantity, QuantityColumn, y, Body, bold);
        page.Right(row.UnitPrice, PriceColumn, y, Body, bold);
        page.Right(row.Vat, VatColumn, y, Body, bold);
        page.Right(row.Amount, RightEdge, y, Body, bold);
    }

    // Goes on below, or on a new page under the same head when the rest of this one is too short.
    private static double Continue(
        InvoiceText text,
        List<InvoicePage> pages,
        InvoiceDocument document,
        double y,
        double height
    )
    {
        if (y + height <= Bottom)
            return y;
        pages.Add(new InvoicePage(text));
        return Head(pages[^1], document, 60);
    }
}
