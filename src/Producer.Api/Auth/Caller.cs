using Orders.Infrastructure.Reading;

namespace Orders.Producer.Api.Auth;

/// <summary>The client that a request speaks for.</summary>
internal sealed class Caller(KnownClient client)
{
    /// <summary>The client.</summary>
    public string ClientId { get; } = client.ClientId;

    /// <summary>What its key may do.</summary>
    public Scopes Scopes { get; } =
        (client.Scopes.Contains("orders:read") ? Scopes.Read : Scopes.None)
        | (client.Scopes.Contains("orders:write") ? Scopes.Write : Scopes.None)
        | (client.Scopes.Contains("webhooks:write") ? Scopes.Webhooks : Scopes.None);

    /// <summary>When its key ends; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; } = client.ExpiresAt;

    /// <summary>The caller of a request to an endpoint that asks for a scope.</summary>
    public static Caller Of(HttpContext context) =>
        context.Features.Get<Caller>()
        ?? throw new InvalidOperationException(
            "The endpoint has no RequiredScope, so nobody asked who calls; add RequiresScope to its route."
        );
}
