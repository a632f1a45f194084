using QueueWorkers.Retention;

namespace Orders.Infrastructure;

/// <summary>
/// What the order application's tables keep. Orders, lines, progress, invoices and movements of stock are business
/// records: for ever.
/// </summary>
public static class OrderRetention
{
    /// <summary>All rules.</summary>
    public static IReadOnlyList<RetentionRule> Rules { get; } =
    [
        // Nobody looks at an order again that is older than the last of the ages.
        new("AgedMessages", "aged_messages", "at", Keep: TimeSpan.FromDays(1), Least: TimeSpan.FromHours(1)),
        // A client that repeats a post after this time gets a second order: longer than any client's own patience.
        new("PostedKeys", "posted_keys", "at", Keep: TimeSpan.FromDays(30), Least: TimeSpan.FromDays(1)),
        // What is dead-lettered longer than this cannot be delivered any more.
        new("WebhookDeliveries", "webhook_deliveries", "at", Keep: TimeSpan.FromDays(90), Least: TimeSpan.FromDays(1)),
    ];
}
