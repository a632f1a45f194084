namespace Orders.Infrastructure;

/// <summary>An <c>Idempotency-Key</c> that a client has used: the same key and body again get the same order.</summary>
public sealed class PostedKey
{
    /// <summary>The client; keys of different clients never meet.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The key as posted.</summary>
    public string Key { get; init; } = "";

    /// <summary>SHA-256 of the body it was posted with.</summary>
    public byte[] BodyHash { get; init; } = [];

    /// <summary>The order it made.</summary>
    public Guid OrderId { get; init; }

    /// <summary>When it was first used.</summary>
    public DateTimeOffset At { get; init; }
}
