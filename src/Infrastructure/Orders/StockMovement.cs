namespace Orders.Infrastructure;

/// <summary>
/// One change of stock: the reservation of one line of an order, or its release. At most one of each kind per order and
/// article, for ever.
/// </summary>
public sealed class StockMovement
{
    /// <summary>The order.</summary>
    public Guid OrderId { get; init; }

    /// <summary>The article.</summary>
    public string Sku { get; init; } = "";

    /// <summary>Whether pieces were taken or given back.</summary>
    public MovementKind Kind { get; init; }

    /// <summary>Pieces added; negative for a reservation.</summary>
    public int Quantity { get; init; }

    /// <summary>When it was committed.</summary>
    public DateTimeOffset At { get; init; }
}
