using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Infrastructure.Reading;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Workers.Warehouse;

/// <summary>Registers what the warehouse step needs.</summary>
public static class WarehouseRegistration
{
    /// <summary>Adds the client. Called only where the step runs.</summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Warehouse</c> cannot work.</exception>
    public static IServiceCollection AddWarehouse(this IServiceCollection services, IConfiguration configuration)
    {
        var options = WarehouseOptions.Read(configuration);
        services.AddSingleton(options);
        services.TryAddSingleton(DatabaseClock.Provider);
        services.TryAddSingleton<OrderSnapshotReader>();
        services
            .AddHttpClient<WarehouseClient>()
            // The call has its own time limit, and what it found is in the exception; four log lines a call would only
            // cost.
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers()
            .UseSocketsHttpHandler(
                (handler, _) =>
                {
                    handler.Trust(options.Trust);
                    handler.AllowAutoRedirect = false;
                    handler.UseCookies = false;
                    // The rest of a reply that is not read: little is skipped, so that the connection can serve again.
                    handler.MaxResponseDrainSize = 64 * 1024;
                    handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2);
                }
            )
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        return services;
    }
}
