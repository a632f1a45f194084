using System.Text.Json.Serialization;
using Orders.Infrastructure.Reading;

namespace Orders.Infrastructure.Invoices;

/// <summary>The order as it was when its invoice number was issued; all that the document is rendered from.</summary>
/// <param name="OrderNumber">The order's running number.</param>
/// <param name="OrderedAt">When the order was accepted.</param>
/// <param name="Seller">Who sends the invoice.</param>
/// <param name="CustomerName">Who gets it.</param>
/// <param name="Address">Where the customer lives.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Total">Sum of the lines.</param>
/// <param name="Lines">The lines, in the order in which they were posted.</param>
/// <param name="Locale">How the customer is written to; null in snapshots of versions that knew English only.</param>
/// <param name="OrderedOn">
/// The day on which the order was accepted, in the seller's time zone; null in snapshots of versions that knew UTC only.
/// </param>
public sealed record InvoiceSnapshot(
    long OrderNumber,
    DateTimeOffset OrderedAt,
    Seller Seller,
    string CustomerName,
    ShippingAddress Address,
    string Currency,
    decimal Total,
    IReadOnlyList<InvoiceLine> Lines,
    string? Locale = null,
    DateOnly? OrderedOn = null
);

/// <summary>One line of an invoice.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Name">Its name.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="UnitPrice">Price of one piece.</param>
/// <param name="Total">Price of all of them.</param>
/// <param name="VatRate">
/// Value added tax that the price contains, in per cent; null when the order was accepted before articles had a rate.
/// </param>
public sealed record InvoiceLine(
    string Sku,
    string Name,
    int Quantity,
    decimal UnitPrice,
    decimal Total,
    decimal? VatRate = null
);

/// <summary>
/// Reads and writes the JSON of a snapshot; the statement in <see cref="InvoiceNumbers"/> builds it with these member
/// names.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(InvoiceSnapshot))]
internal sealed partial class InvoiceJson : JsonSerializerContext;
