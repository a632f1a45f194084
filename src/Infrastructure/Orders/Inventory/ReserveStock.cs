using QueueWorkers.Steps;

namespace Orders.Infrastructure.Inventory;

/// <summary>Reserve the stock of all lines of an order, or of none.</summary>
/// <param name="OrderId">The order.</param>
public sealed record ReserveStock(Guid OrderId) : IStepWrite
{
    /// <summary>What a step's database role needs for it, and for undoing it.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "SELECT ON order_lines",
        "SELECT, UPDATE ON stock",
        "SELECT, INSERT ON stock_movements",
        "INSERT ON order_shortages",
    ];
}
