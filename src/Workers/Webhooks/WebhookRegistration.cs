using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Workers.Webhooks;

/// <summary>Registers what the webhook step needs.</summary>
public static class WebhookRegistration
{
    /// <summary>Adds the client. Called only where the step runs.</summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Webhooks</c> cannot work.</exception>
    public static IServiceCollection AddWebhooks(this IServiceCollection services, IConfiguration configuration)
    {
        var options = WebhookOptions.Read(configuration);
        services.AddSingleton(options);
        services.TryAddSingleton(DatabaseClock.Provider);
        services.AddSingleton<WebhookTargetReader>().AddSingleton<WebhookGate>();
        services
            .AddHttpClient<WebhookClient>()
            // The call has its own time limit, and what it found is in the exception.
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers()
            .UseSocketsHttpHandler(
                (handler, _) =>
                {
                    handler.Trust(options.Trust);
                    Configure(handler, new PublicConnections(options.Addresses));
                }
            )
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        return services;
    }

    /// <summary>Lets a handler call clients' addresses and nothing else.</summary>
    public static void Configure(SocketsHttpHandler handler, PublicConnections connections)
    {
        handler.ConnectCallback = connections.ConnectAsync;
        // A proxy would connect for us, to addresses that nobody has checked.
        handler.UseProxy = false;
        handler.AllowAutoRedirect = false;
        handler.UseCookies = false;
        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        handler.MaxResponseHeadersLength = 16;
        handler.MaxResponseDrainSize = 64 * 1024;
        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(1);
        handler.PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30);
        // Our trace ids are nobody else's business.
        handler.ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator();
    }
}
