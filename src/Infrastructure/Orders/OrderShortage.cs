namespace Orders.Infrastructure;

/// <summary>
/// An article for which an order was rejected, as the decision was made. Kept, so that the event of the rejection can
/// be made again when it is lost with its queue.
/// </summary>
public sealed class OrderShortage
{
    /// <summary>The order.</summary>
    public Guid OrderId { get; init; }

    /// <summary>The article.</summary>
    public string Sku { get; init; } = "";

    /// <summary>Pieces ordered.</summary>
    public int Requested { get; init; }

    /// <summary>Pieces on hand when the decision was made.</summary>
    public int Available { get; init; }
}
