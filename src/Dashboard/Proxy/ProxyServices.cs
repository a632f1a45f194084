using Microsoft.AspNetCore.HttpOverrides;

namespace Orders.Dashboard.Proxy;

/// <summary>Registers what stands between a reverse proxy and the pages.</summary>
internal static class ProxyServices
{
    /// <summary>Adds the options.</summary>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">With every problem found.</exception>
    public static IServiceCollection AddReverseProxy(this IServiceCollection services, IConfiguration configuration) =>
        services.AddSingleton(ProxyOptions.Read(configuration));

    /// <summary>
    /// Believes the headers of the configured proxies, and of nobody else. The host name is not among them: no address
    /// that leaves the dashboard has one.
    /// </summary>
    public static void UseReverseProxy(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<ProxyOptions>();
        if (options.Networks.Count > 0)
        {
            var headers = new ForwardedHeadersOptions
            {
                ForwardedHeaders =
                    ForwardedHeaders.XForwardedFor
                    | ForwardedHeaders.XForwardedProto
                    | ForwardedHeaders.XForwardedPrefix,
                ForwardLimit = options.Hops,
            };
            // The loopback is there by default; whoever is on this machine is not a proxy for that.
            headers.KnownProxies.Clear();
            headers.KnownIPNetworks.Clear();
            foreach (var network in options.Networks)
                headers.KnownIPNetworks.Add(network);
            app.UseForwardedHeaders(headers);
        }

        app.Use(SubPath.RedirectAsync);
    }
}
