namespace QueueWorkers.Hosting.Routes;

/// <summary>Metadata of a route that a host checks itself, such as the scope of an API key.</summary>
public interface IRouteGuard
{
    /// <summary>What a caller needs, such as <c>orders:read</c>.</summary>
    string Guard { get; }
}
