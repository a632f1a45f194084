namespace Orders.Infrastructure.Invoices;

/// <summary>An invoice that has its number.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">The number; see <see cref="OrderNumber.FormatInvoice"/>.</param>
/// <param name="IssuedAt">When it was issued; printed on the document.</param>
/// <param name="Snapshot">What the document says.</param>
/// <param name="IsStored">Whether the document was rendered and stored before.</param>
public sealed record IssuedInvoice(
    Guid OrderId,
    long Number,
    DateTimeOffset IssuedAt,
    InvoiceSnapshot Snapshot,
    bool IsStored
);
