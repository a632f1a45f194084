namespace Orders.Infrastructure;

/// <summary>One article of an order, with the price it had when the order was accepted.</summary>
public sealed class OrderLine
{
    /// <summary>The order.</summary>
    public Guid OrderId { get; init; }

    /// <summary>Position in the order, from 0.</summary>
    public short Line { get; init; }

    /// <summary>The article.</summary>
    public string Sku { get; init; } = "";

    /// <summary>The article's name at that time.</summary>
    public string Name { get; init; } = "";

    /// <summary>Pieces, 1–1000.</summary>
    public int Quantity { get; init; }

    /// <summary>Price of one piece, in the order's currency.</summary>
    public decimal UnitPrice { get; init; }

    /// <summary>
    /// Value added tax that the price contains, in per cent, as it was then; null when the order was accepted before
    /// articles had a rate.
    /// </summary>
    public decimal? VatRate { get; init; }

    /// <summary>Quantity times price.</summary>
    public decimal Total { get; init; }
}
