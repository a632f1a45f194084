namespace Orders.Infrastructure;

/// <summary>
/// How many pieces of an article there are. Always: <see cref="Initial"/> plus the movements = <see cref="OnHand"/> ≥
/// 0.
/// </summary>
public sealed class StockItem
{
    /// <summary>The article.</summary>
    public string Sku { get; init; } = "";

    /// <summary>Pieces at the beginning.</summary>
    public int Initial { get; init; }

    /// <summary>Pieces now; never below zero (a check constraint).</summary>
    public int OnHand { get; init; }
}
