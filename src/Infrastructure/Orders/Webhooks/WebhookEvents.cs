namespace Orders.Infrastructure.Webhooks;

/// <summary>The events that web hooks are told of, as clients write them.</summary>
public static class WebhookEvents
{
    /// <summary>The last step of an order is done.</summary>
    public const string Completed = "order.completed";

    /// <summary>An order cannot be filled.</summary>
    public const string Rejected = "order.rejected";

    /// <summary>A step of an order has failed for good; an operator has to look. May happen again after that.</summary>
    public const string NeedsAttention = "order.needs_attention";

    /// <summary>An order was cancelled.</summary>
    public const string Cancelled = "order.cancelled";

    /// <summary>The client wants to see whether it works. Sent when it is asked for only.</summary>
    public const string Test = "webhook.test";

    /// <summary>What a web hook can be registered for.</summary>
    public static IReadOnlyList<string> All { get; } = [Completed, Rejected, NeedsAttention, Cancelled];
}
