namespace Orders.Infrastructure.Reading;

/// <summary>The facts of an order that a step tells the outside world.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">Its running number; see <see cref="OrderNumber.Format"/>.</param>
/// <param name="CustomerName">The customer's name.</param>
/// <param name="CustomerEmail">The customer's mail address.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Total">Sum of the lines.</param>
/// <param name="ShipTo">Where to send the goods.</param>
/// <param name="Lines">The lines, in the order in which they were posted.</param>
/// <param name="Locale">How the customer is written to; see <see cref="CustomerLocale"/>.</param>
/// <param name="IsCancelled">Whether the order was cancelled.</param>
public sealed record OrderSnapshot(
    Guid OrderId,
    long Number,
    string CustomerName,
    string CustomerEmail,
    string Currency,
    decimal Total,
    ShippingAddress ShipTo,
    IReadOnlyList<OrderSnapshotLine> Lines,
    string Locale = CustomerLocale.Default,
    bool IsCancelled = false
);

/// <summary>One line of an order.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Name">Its name when the order was accepted.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="Total">Price of all of them, in the order's currency.</param>
public sealed record OrderSnapshotLine(string Sku, string Name, int Quantity, decimal Total);

/// <summary>A postal address.</summary>
/// <param name="Line1">Street and house number.</param>
/// <param name="City">City.</param>
/// <param name="PostalCode">Postal code.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
public sealed record ShippingAddress(string Line1, string City, string PostalCode, string Country);
