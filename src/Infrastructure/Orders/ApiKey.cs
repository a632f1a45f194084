namespace Orders.Infrastructure;

/// <summary>A client's key to the API, stored only as a hash.</summary>
public sealed class ApiKey
{
    /// <summary>The key's own id, for revoking.</summary>
    public Guid Id { get; init; }

    /// <summary>The client that the key speaks for; several keys may speak for one client.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>SHA-256 of the key. The key is 256 random bits, so a slow password hash would add nothing.</summary>
    public byte[] Hash { get; init; } = [];

    /// <summary>The key's first characters, to recognise it by; empty for one that was stored without.</summary>
    public string Hint { get; init; } = "";

    /// <summary>What it may do: <c>orders:write</c>, <c>orders:read</c>, <c>webhooks:write</c>.</summary>
    public string[] Scopes { get; init; } = [];

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends by itself; null means never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was revoked; null while it is valid.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The key that a rotation made in its place; null without one.</summary>
    public Guid? ReplacedBy { get; init; }
}
