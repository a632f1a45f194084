using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Invoices;

namespace Orders.Workers.Invoice;

/// <summary>
/// Everything that stands on an invoice or a credit note, as text in the order of reading. How the text becomes a file
/// is the matter of <see cref="InvoicePdf"/>.
/// </summary>
/// <param name="Language">The language of the text, as in BCP 47.</param>
/// <param name="Title">The word on top.</param>
/// <param name="Number">The document's number, as people see it.</param>
/// <param name="IssuedAt">When the number was issued.</param>
/// <param name="Identity">What the file's id is made of: the same document is the same file.</param>
/// <param name="Seller">The seller's name.</param>
/// <param name="SellerDetails">The lines below the seller's name.</param>
/// <param name="Facts">Number, date and what the document refers to, a line each; the first one stands out.</param>
/// <param name="Recipient">Name and address of the customer, a line each.</param>
/// <param name="Heads">The heads of the table.</param>
/// <param name="Rows">The lines of the table.</param>
/// <param name="Total">The sum, in the columns of the table.</param>
/// <param name="Footer">What stands below each page.</param>
internal sealed record InvoiceDocument(
    string Language,
    string Title,
    string Number,
    DateTimeOffset IssuedAt,
    string Identity,
    string Seller,
    IReadOnlyList<string> SellerDetails,
    IReadOnlyList<string> Facts,
    IReadOnlyList<string> Recipient,
    InvoiceRow Heads,
    IReadOnlyList<InvoiceRow> Rows,
    InvoiceRow Total,
    string Footer
)
{
    /// <summary>The invoice itself.</summary>
    public static InvoiceDocument Of(IssuedInvoice invoice) =>
        Of(
            invoice.Snapshot,
            "INVOICE",
            OrderNumber.FormatInvoice(invoice.Number),
            invoice.IssuedAt,
            null,
            1,
            $"invoice {invoice.Number} of {invoice.OrderId}"
        );

    /// <summary>The credit note that takes it back.</summary>
    public static InvoiceDocument Of(IssuedCreditNote note) =>
        Of(
            note.Invoice.Snapshot,
            "CREDIT NOTE",
            OrderNumber.FormatCreditNote(note.Number),
            note.IssuedAt,
            $"Takes back invoice {OrderNumber.FormatInvoice(note.Invoice.Number)} of {Date(note.Invoice.IssuedAt)}",
            -1,
            $"credit note {note.Number} of {note.Invoice.OrderId}"
        );

    /// <summary>What stands below a page beside <see cref="Footer"/>.</summary>
    public static string PageOf(int page, int pages) =>
        string.Create(CultureInfo.InvariantCulture, $"Page {page} of {pages}");

    // Amounts of a credit note are given back: their sign is -1.
    private static InvoiceDocument Of(
        InvoiceSnapshot snapshot,
        string title,
        string number,
        DateTimeOffset issuedAt,
        string? reference,
        int sign,
        string identity
    )
    {
        string Amount(decimal amount) => Money.Format(amount, snapshot.Currency);
        var (seller, address) = (snapshot.Seller, snapshot.Address);
        string?[] facts =
        [
            $"Number {number}",
            $"Date {Date(issuedAt)}",
            $"Order {OrderNumber.Format(snapshot.OrderNumber)} of {Date(snapshot.OrderedAt)}",
            reference,
        ];
        return new InvoiceDocument(
            "en",
            title,
            number,
            issuedAt,
            identity,
            seller.Name,
            [seller.Address, $"Tax ID {seller.TaxId}"],
            [.. facts.OfType<string>()],
            [snapshot.CustomerName, address.Line1, $"{address.PostalCode} {address.City}".TrimStart(), address.Country],
            new InvoiceRow("Article", "Description", "Quantity", "Unit price", "Amount"),
            [
                .. snapshot.Lines.Select(line => new InvoiceRow(
                    line.Sku,
                    line.Name,
                    line.Quantity.ToString(CultureInfo.InvariantCulture),
                    Amount(line.UnitPrice),
                    Amount(sign * line.Total)
                )),
            ],
            new InvoiceRow("", $"Total ({snapshot.Currency})", "", "", Amount(sign * snapshot.Total)),
            $"{seller.Name} · {number}"
        );
    }

    private static string Date(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

/// <summary>A row of the table; what is empty is not shown.</summary>
/// <param name="Article">The article's code.</param>
/// <param name="Description">The article's name; may be long.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="UnitPrice">Price of one piece.</param>
/// <param name="Amount">Price of all of them.</param>
internal sealed record InvoiceRow(string Article, string Description, string Quantity, string UnitPrice, string Amount);
