using Orders.Contracts;

namespace Orders.Infrastructure.Inventory;

/// <summary>
/// Decides who gets what, in memory, on stock rows that are locked. Orders are served in the order in which they are
/// asked for.
/// </summary>
/// <param name="onHand">Pieces per article; an article that is not in it is not stocked.</param>
internal sealed class StockDecision(IReadOnlyDictionary<string, int> onHand)
{
    private readonly Dictionary<string, int> _left = new(onHand, StringComparer.Ordinal);
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly List<(Guid OrderId, string Sku, int Quantity)> _movements = [];

    /// <summary>Pieces taken so far, per article.</summary>
    public IReadOnlyDictionary<string, int> Taken => _taken;

    /// <summary>One reservation per order and article.</summary>
    public IReadOnlyList<(Guid OrderId, string Sku, int Quantity)> Movements => _movements;

    /// <summary>Takes all lines of an order, or nothing.</summary>
    /// <returns>What is short; empty when the order was served.</returns>
    public IReadOnlyList<StockShortage> Take(Guid orderId, IReadOnlyList<(string Sku, int Quantity)> lines)
    {
        // An order names an article once (the API sees to it); summing keeps "never below zero" true without that
        // promise.
        var wanted = lines
            .GroupBy(l => l.Sku, StringComparer.Ordinal)
            .Select(g => (Sku: g.Key, Quantity: g.Sum(l => l.Quantity)))
            .ToArray();
        var shortages = wanted
            .Where(w => Left(w.Sku) < w.Quantity)
            .Select(w => new StockShortage(w.Sku, w.Quantity, Left(w.Sku)))
            .ToArray();
        if (shortages.Length > 0)
            return shortages;

        foreach (var (sku, quantity) in wanted)
        {
            _left[sku] -= quantity;
            _taken[sku] = _taken.GetValueOrDefault(sku) + quantity;
            _movements.Add((orderId, sku, quantity));
        }

        return [];
    }

    private int Left(string sku) => _left.GetValueOrDefault(sku);
}
