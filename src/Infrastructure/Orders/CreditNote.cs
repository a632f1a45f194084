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

    /// <summary>
    /// The number as it is printed, with the prefix that was configured when it was issued; null in rows of versions
    /// without settings for it, see <see cref="OrderNumber"/>.
    /// </summary>
    public string? PrintedNumber { get; init; }

    /// <summary>
    /// The day on which it was issued, in the seller's time zone; printed on the document. Null in rows of versions
    /// without a time zone, whose day is that of UTC.
    /// </summary>
    public DateOnly? IssuedOn { get; init; }

    /// <summary>When the number was issued.</summary>
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>The document; null until it was rendered.</summary>
    public byte[]? Pdf { get; init; }

    /// <summary>SHA-256 of <see cref="Pdf"/>; null until it was rendered.</summary>
    public byte[]? Sha256 { get; init; }
}
