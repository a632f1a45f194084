using Orders.Infrastructure.Reading;
using Orders.Infrastructure.Webhooks;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Catalogue;
using Orders.Producer.Api.Health;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Watching;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;

namespace Orders.Producer.Api;

/// <summary>Registers the API's own parts and checks their configuration, all of it at once.</summary>
internal static class ApiSetup
{
    /// <summary>Adds what the endpoints stand on.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static IServiceCollection AddApi(this IServiceCollection services, IConfiguration configuration)
    {
        var problems = new ConfigurationProblems();
        var rate = RateLimitOptions.Read(configuration, problems);
        var cap = BackpressureOptions.Read(configuration, problems);
        var load = ClientLoadOptions.Read(configuration, problems);
        var watch = WatchOptions.Read(configuration, problems);
        var webhooks = problems.Read(() => WebhookOptions.Read(configuration));
        problems.ThrowIfAny();

        services
            .AddSingleton(DatabaseClock.Provider)
            .AddSingleton(rate)
            .AddSingleton(cap)
            .AddSingleton(load)
            .AddSingleton(watch)
            .AddSingleton(webhooks!)
            .AddSingleton<ClientRateLimit>()
            .AddSingleton<ClientLoad>();
        services
            .AddSingleton<CatalogueReader>()
            .AddSingleton<ApiKeyReader>()
            .AddSingleton<OrderViewReader>()
            .AddSingleton<OrderListReader>()
            .AddSingleton<OrderChangesReader>()
            .AddSingleton<InvoiceDocumentReader>()
            .AddSingleton<OutboxBacklogReader>()
            .AddSingleton<WebhookRegistry>()
            .AddSingleton<WebhookDeliveryReader>();
        services.AddSingleton<ApiKeyCache>().AddSingleton<OrderSubmission>().AddSingleton<UnavailableLog>();
        services
            .AddHealthChecks()
            .AddCheck<CatalogueHealth>("catalogue", tags: [WorkerHost.Ready])
            .AddCheck<BrokerHealth>("broker", tags: [WorkerHost.Ready]);
        return services.AddBackground<CurrentPrices>().AddBackground<Backpressure>().AddBackground<OrderWatch>();
    }

    private static IServiceCollection AddBackground<T>(this IServiceCollection services)
        where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());
}
