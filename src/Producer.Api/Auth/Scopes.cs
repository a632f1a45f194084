using QueueWorkers.Hosting.Routes;

namespace Orders.Producer.Api.Auth;

/// <summary>What an API key may do.</summary>
[Flags]
internal enum Scopes
{
    None = 0,

    /// <summary><c>orders:read</c>.</summary>
    Read = 1,

    /// <summary><c>orders:write</c>.</summary>
    Write = 2,

    /// <summary><c>webhooks:write</c>.</summary>
    Webhooks = 4,
}

/// <summary>Marks an endpoint with the scope that it asks for.</summary>
/// <param name="Scope">The scope.</param>
internal sealed record RequiredScope(Scopes Scope) : IRouteGuard
{
    /// <summary>The scope's name, as it stands with a key.</summary>
    public string Name =>
        Scope switch
        {
            Scopes.Write => "orders:write",
            Scopes.Webhooks => "webhooks:write",
            _ => "orders:read",
        };

    /// <inheritdoc />
    public string Guard => Name;
}
