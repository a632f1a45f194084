using System.Diagnostics;
using QueueWorkers.Clocks;

namespace Orders.Infrastructure.Intake;

/// <summary>A validated order on its way into the database: pure data, priced from the catalogue.</summary>
public sealed record NewOrder
{
    /// <summary>The order's id, made by the door.</summary>
    public Guid Id { get; } = DatabaseClock.NewId();

    /// <summary>The client that posts it.</summary>
    public required string ClientId { get; init; }

    /// <summary>The customer's name.</summary>
    public required string CustomerName { get; init; }

    /// <summary>The customer's mail address.</summary>
    public required string CustomerEmail { get; init; }

    /// <summary>How the customer is written to; see <see cref="CustomerLocale"/>.</summary>
    public string Locale { get; init; } = CustomerLocale.Default;

    /// <summary>The lines, priced.</summary>
    public required IReadOnlyList<NewOrderLine> Lines { get; init; }

    /// <summary>EUR, USD or GBP.</summary>
    public required string Currency { get; init; }

    /// <summary>Street and house number.</summary>
    public required string ShipLine1 { get; init; }

    /// <summary>City.</summary>
    public required string ShipCity { get; init; }

    /// <summary>Postal code; empty where the country has none.</summary>
    public required string ShipPostalCode { get; init; }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public required string ShipCountry { get; init; }

    /// <summary>Whether it goes before normal ones.</summary>
    public bool Premium { get; init; }

    /// <summary>Free text.</summary>
    public string? Notes { get; init; }

    /// <summary>When its steps may begin; null for at once.</summary>
    public DateTimeOffset? ReleaseAt { get; init; }

    /// <summary>The client's Idempotency-Key; null when it sent none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// The hash of the body, see <see cref="PostedKey.BodyHash"/>; needed only together with
    /// <see cref="IdempotencyKey"/>.
    /// </summary>
    public byte[] BodyHash { get; init; } = [];

    /// <summary>The hashes of the same body that were stored by earlier builds, or with earlier secrets.</summary>
    public IReadOnlyList<byte[]> EarlierBodyHashes { get; init; } = [];

    /// <summary>
    /// The steps the order has to go through, as a mask of <see cref="QueueWorkers.Steps.CatalogueEntry.Bit"/>.
    /// </summary>
    public required int RequiredSteps { get; init; }

    /// <summary>The request's trace, which the order's messages continue.</summary>
    public Activity? Trace { get; init; } = Activity.Current;

    /// <summary>
    /// When it was accepted, in whole microseconds as the database keeps it: a replayed answer shows the same moment as
    /// the first one.
    /// </summary>
    public DateTimeOffset CreatedAt { get; } = WholeMicroseconds(DatabaseClock.UtcNow);

    /// <summary>Sum of the lines.</summary>
    public decimal Total => Lines.Sum(l => l.Total);

    internal KeyUse ToKeyUse() => new(ClientId, IdempotencyKey!, BodyHash, EarlierBodyHashes, Id);

    private static DateTimeOffset WholeMicroseconds(DateTimeOffset time) =>
        time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMicrosecond));
}

/// <summary>One priced line.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Name">Its name in the catalogue.</param>
/// <param name="Quantity">Pieces.</param>
/// <param name="UnitPrice">Price of one piece, from the catalogue, in the order's currency.</param>
/// <param name="VatRate">Value added tax that the price contains, from the catalogue, in per cent.</param>
public sealed record NewOrderLine(string Sku, string Name, int Quantity, decimal UnitPrice, decimal VatRate)
{
    /// <summary>Quantity times price.</summary>
    public decimal Total => Quantity * UnitPrice;
}
