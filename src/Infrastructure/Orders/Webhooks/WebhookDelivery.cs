namespace Orders.Infrastructure.Webhooks;

/// <summary>
/// One event for one web hook. How far it is stands in <c>step_runs</c> and <c>step_attempts</c>, whose subject it is.
/// </summary>
public sealed class WebhookDelivery
{
    /// <summary>The delivery, in the order of time; the receiver sees it as <c>webhook-id</c>.</summary>
    public Guid Id { get; init; }

    /// <summary>The web hook; it may have been removed since.</summary>
    public Guid WebhookId { get; init; }

    /// <summary>The order; null for a test event.</summary>
    public Guid? OrderId { get; init; }

    /// <summary>The event, see <see cref="WebhookEvents"/>.</summary>
    public string Event { get; init; } = "";

    /// <summary>Why the order was rejected, in a sentence for people; null for other events.</summary>
    public string? Reason { get; init; }

    /// <summary>When the event happened.</summary>
    public DateTimeOffset At { get; init; }
}
