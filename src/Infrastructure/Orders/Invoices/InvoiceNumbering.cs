namespace Orders.Infrastructure.Invoices;

/// <summary>
/// How invoices and credit notes are numbered and dated. A change concerns later documents only: each row has the
/// number as it was printed, and its day.
/// </summary>
/// <param name="Prefix">What stands before an invoice's number.</param>
/// <param name="FirstNumber">The number of the first invoice; has no effect once there is one.</param>
/// <param name="CreditNotePrefix">What stands before a credit note's number.</param>
/// <param name="FirstCreditNote">The number of the first credit note; has no effect once there is one.</param>
/// <param name="TimeZone">The time zone of the seller, in which a moment has its day: a name of IANA.</param>
public sealed record InvoiceNumbering(
    string Prefix = OrderNumber.InvoicePrefix,
    long FirstNumber = 1,
    string CreditNotePrefix = OrderNumber.CreditNotePrefix,
    long FirstCreditNote = 1,
    string TimeZone = "UTC"
);
