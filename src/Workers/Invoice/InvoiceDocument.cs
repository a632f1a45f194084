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
/// <param name="Sums">The value added tax per rate, under a head of its own; empty when it is not known.</param>
/// <param name="Total">The last row of the sums.</param>
/// <param name="Note">A line below the sums; empty when there is none.</param>
/// <param name="Footer">What stands below each page.</param>
/// <param name="PageOf">What stands there besides, from the number of the page and their count.</param>
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
    IReadOnlyList<InvoiceSum> Sums,
    InvoiceSum Total,
    string Note,
    string Footer,
    Func<int, int, string> PageOf
)
{
    /// <summary>The invoice itself.</summary>
    public static InvoiceDocument Of(IssuedInvoice invoice)
    {
        var locale = CustomerLocale.Of(invoice.Snapshot.Locale);
        return Of(
            invoice.Snapshot,
            locale,
            InvoiceWords.Of(locale.Language).Invoice,
            invoice.PrintedNumber,
            (invoice.IssuedAt, invoice.IssuedOn),
            null,
            1,
            $"invoice {invoice.Number} of {invoice.OrderId}"
        );
    }

    /// <summary>The credit note that takes it back.</summary>
    public static InvoiceDocument Of(IssuedCreditNote note)
    {
        var invoice = note.Invoice;
        var locale = CustomerLocale.Of(invoice.Snapshot.Locale);
        var words = InvoiceWords.Of(locale.Language);
        return Of(
            invoice.Snapshot,
            locale,
            words.CreditNote,
            note.PrintedNumber,
            (note.IssuedAt, note.IssuedOn),
            words.TakesBack(invoice.PrintedNumber, locale.Date(invoice.IssuedOn)),
            -1,
            $"credit note {note.Number} of {invoice.OrderId}"
        );
    }

    // Amounts of a credit note are given back: their sign is -1.
    private static InvoiceDocument Of(
        InvoiceSnapshot snapshot,
        CustomerLocale locale,
        string title,
        string number,
        (DateTimeOffset At, DateOnly On) issued,
        string? reference,
        int sign,
        string identity
    )
    {
        var words = InvoiceWords.Of(locale.Language);
        var vat = VatTable.Of(snapshot.Lines);
        string Amount(decimal amount) => locale.Money(amount, snapshot.Currency);
        var (seller, address) = (snapshot.Seller, snapshot.Address);
        var orderedOn = snapshot.OrderedOn ?? DateOnly.FromDateTime(snapshot.OrderedAt.UtcDateTime);
        string?[] facts =
        [
            $"{words.Number} {number}",
            $"{words.Date} {locale.Date(issued.On)}",
            words.Order(OrderNumber.Format(snapshot.OrderNumber), locale.Date(orderedOn)),
            reference,
        ];
        return new InvoiceDocument(
            locale.Name,
            title,
            number,
            issued.At,
            identity,
            seller.Name,
            [seller.Address, $"{words.TaxId} {seller.TaxId}"],
            [.. facts.OfType<string>()],
            [snapshot.CustomerName, address.Line1, $"{address.PostalCode} {address.City}".TrimStart(), address.Country],
            new InvoiceRow(
                words.Article,
                words.Description,
                words.Quantity,
                words.UnitPrice,
                vat is null ? "" : words.Vat,
                words.Amount
            ),
            [
                .. snapshot.Lines.Select(line => new InvoiceRow(
                    line.Sku,
                    line.Name,
                    locale.Number(line.Quantity),
                    Amount(line.UnitPrice),
                    vat is null ? "" : locale.Percent(line.VatRate!.Value),
                    Amount(sign * line.Total)
                )),
            ],
            vat is null
                ? []
                :
                [
                    new InvoiceSum("", words.Net, words.Vat, words.Gross),
                    .. vat.Rates.Select(r => new InvoiceSum(
                        words.VatAt(locale.Percent(r.Rate)),
                        Amount(sign * r.Net),
                        Amount(sign * r.Tax),
                        Amount(sign * r.Gross)
                    )),
                ],
            new InvoiceSum(
                $"{words.Total} ({snapshot.Currency})",
                vat is null ? "" : Amount(sign * vat.Net),
                vat is null ? "" : Amount(sign * vat.Tax),
                Amount(sign * snapshot.Total)
            ),
            vat is null ? "" : words.PricesAreGross,
            $"{seller.Name} · {number}",
            words.Page
        );
    }
}

/// <summary>A row of the table; what is empty is not shown.</summary>
/// <param name="Article">The article's code.</param>
/// <param name="Description">The article's name; may be long.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="UnitPrice">Price of one piece.</param>
/// <param name="Vat">Rate of the value added tax that the price contains.</param>
/// <param name="Amount">Price of all of them.</param>
internal sealed record InvoiceRow(
    string Article,
    string Description,
    string Quantity,
    string UnitPrice,
    string Vat,
    string Amount
);

/// <summary>A row of the sums; what is empty is not shown.</summary>
/// <param name="Label">What is summed up.</param>
/// <param name="Net">Without the tax.</param>
/// <param name="Tax">The tax.</param>
/// <param name="Gross">With the tax.</param>
internal sealed record InvoiceSum(string Label, string Net, string Tax, string Gross);
