namespace Orders.Infrastructure;

/// <summary>An <c>Idempotency-Key</c> that a client has used: the same key and body again get the same order.</summary>
public sealed class PostedKey
{
    /// <summary>The client; keys of different clients never meet.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The key, without quotes and escapes.</summary>
    public string Key { get; init; } = "";

    /// <summary>
    /// The hash of the body it was posted with: 33 bytes, the version of the canonical form and the HMAC of the body in
    /// that form. Rows of earlier builds have the SHA-256 of the form, or 32 bytes, the SHA-256 of the body as it came.
    /// Empty once the customer's data were erased: then no body is the same.
    /// </summary>
    public byte[] BodyHash { get; init; } = [];

    /// <summary>The order it made.</summary>
    public Guid OrderId { get; init; }

    /// <summary>When it was first used.</summary>
    public DateTimeOffset At { get; init; }
}
