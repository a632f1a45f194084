namespace Orders.Infrastructure;

/// <summary>
/// Takes back an issued invoice: an invoice is never deleted or changed, and its number never given to another.
/// </summary>
public sealed class CreditNote
{
    /// <summary>The order whose invoice is taken back.</summary>
    public Guid OrderId { get; init; }

    /// <summary>Running number of the credit notes' own series, without gaps.</summary>
    public long Number { get; init; }

    /// <summary>When the number was issued; printed on the document.</summary>
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>The document; null until it was rendered.</summary>
    public byte[]? Pdf { get; init; }

    /// <summary>SHA-256 of <see cref="Pdf"/>; null until it was rendered.</summary>
    public byte[]? Sha256 { get; init; }
}
