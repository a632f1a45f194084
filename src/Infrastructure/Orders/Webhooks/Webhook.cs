namespace Orders.Infrastructure.Webhooks;

/// <summary>An address of a client's that wants to be told of events.</summary>
public sealed class Webhook
{
    /// <summary>The web hook.</summary>
    public Guid Id { get; init; }

    /// <summary>The client, whose orders it is told of.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The address.</summary>
    public string Url { get; init; } = "";

    /// <summary>The events it wants, see <see cref="WebhookEvents"/>.</summary>
    public string[] Events { get; init; } = [];

    /// <summary>The key that signs. Only the deployment and the webhook step can read it.</summary>
    public byte[] Secret { get; init; } = [];

    /// <summary>The key before the last rotation; null when there was none.</summary>
    public byte[]? PreviousSecret { get; init; }

    /// <summary>Until when <see cref="PreviousSecret"/> signs as well.</summary>
    public DateTimeOffset? PreviousUntil { get; init; }

    /// <summary>When it was registered.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}
