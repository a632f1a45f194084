namespace Orders.Infrastructure.Invoices;

/// <summary>An invoice that has its number.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">The running number.</param>
/// <param name="PrintedNumber">The number as it is printed.</param>
/// <param name="IssuedAt">When it was issued.</param>
/// <param name="IssuedOn">The day on which it was issued; printed on the document.</param>
/// <param name="Snapshot">What the document says.</param>
/// <param name="IsStored">Whether the document was rendered and stored before.</param>
public sealed record IssuedInvoice(
    Guid OrderId,
    long Number,
    string PrintedNumber,
    DateTimeOffset IssuedAt,
    DateOnly IssuedOn,
    InvoiceSnapshot Snapshot,
    bool IsStored
);
