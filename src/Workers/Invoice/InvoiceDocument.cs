using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Invoices;

namespace Orders.Workers.Invoice;

/// <summary>What an invoice and a credit note differ in on paper.</summary>
/// <param name="Title">The word on top.</param>
/// <param name="Number">Its number, as people see it.</param>
/// <param name="IssuedAt">When the number was issued.</param>
/// <param name="Reference">A line that says what it refers to; null when that is only the order.</param>
/// <param name="Sign">1, or -1 when the amounts are given back.</param>
/// <param name="Identity">What the file's id is made of: the same document is the same file.</param>
internal sealed record InvoiceDocument(
    string Title,
    string Number,
    DateTimeOffset IssuedAt,
    string? Reference,
    int Sign,
    string Identity
)
{
    /// <summary>The invoice itself.</summary>
    public static InvoiceDocument Of(IssuedInvoice invoice) =>
        new(
            "INVOICE",
            OrderNumber.FormatInvoice(invoice.Number),
            invoice.IssuedAt,
            null,
            1,
            $"invoice {invoice.Number} of {invoice.OrderId}"
        );

    /// <summary>The credit note that takes it back.</summary>
    public static InvoiceDocument Of(IssuedCreditNote note) =>
        new(
            "CREDIT NOTE",
            OrderNumber.FormatCreditNote(note.Number),
            note.IssuedAt,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Takes back invoice {OrderNumber.FormatInvoice(note.Invoice.Number)} of {note.Invoice.IssuedAt.UtcDateTime:yyyy-MM-dd}"
            ),
            -1,
            $"credit note {note.Number} of {note.Invoice.OrderId}"
        );
}
