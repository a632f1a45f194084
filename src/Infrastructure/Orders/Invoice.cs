namespace Orders.Infrastructure;

/// <summary>
/// An order's invoice: first its number and a snapshot of the order, then the document rendered from that snapshot.
/// </summary>
public sealed class Invoice
{
    /// <summary>The order.</summary>
    public Guid OrderId { get; init; }

    /// <summary>Running number without gaps, taken from a counter row in the transaction that wrote this row.</summary>
    public long Number { get; init; }

    /// <summary>
    /// The order as it was when the number was issued: JSON that the document is rendered from, now and after any
    /// crash.
    /// </summary>
    public string Snapshot { get; init; } = "";

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
