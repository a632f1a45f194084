using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Orders.Producer.Api.Limits;

/// <summary>What a single connection may cost the server.</summary>
internal static class ConnectionLimits
{
    /// <summary>How long a request's headers, and then its body, may take to arrive.</summary>
    public static readonly TimeSpan Arrival = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may stay open without a request.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    /// <summary>Applies the limits to the server.</summary>
    public static void Apply(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        server.Limits.RequestHeadersTimeout = Arrival;
        server.Limits.KeepAliveTimeout = Silence;
        server.Limits.MaxRequestBodySize = Orders.PostOrderBatch.LargestBody;
        // Bytes a second, after a grace period: a body that trickles is cut before its ten seconds are over.
        server.Limits.MinRequestBodyDataRate = new MinDataRate(
            bytesPerSecond: 240,
            gracePeriod: TimeSpan.FromSeconds(5)
        );
        server.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
        // Also the bound on orders that wait for one commit: each connection has one request at a time.
        server.Limits.MaxConcurrentConnections = 10_000;
    }
}
