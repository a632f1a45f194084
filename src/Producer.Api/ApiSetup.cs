using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Orders.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Catalogue;
using Orders.Producer.Api.Health;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Watching;

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
        var cap = OutboxCapOptions.Read(configuration, problems);
        var watch = WatchOptions.Read(configuration, problems);
        problems.ThrowIfAny();

        services.AddSingleton(TimeProvider.System).AddSingleton(rate).AddSingleton(cap).AddSingleton(watch).AddSingleton<RateLimit>();
        services.AddSingleton<CatalogueReader>().AddSingleton<ApiKeyReader>().AddSingleton<OrderViewReader>().AddSingleton<OrderListReader>()
            .AddSingleton<OrderChangesReader>().AddSingleton<InvoiceDocumentReader>().AddSingleton<OutboxBacklogReader>();
        services.AddSingleton<ApiKeyCache>().AddSingleton<OrderDoor>().AddSingleton<UnavailableLog>();
        services.AddHealthChecks().AddCheck<CatalogueHealth>("catalogue", tags: [OrdersHost.Ready]).AddCheck<BrokerHealth>("broker", tags: [OrdersHost.Ready]);
        return services.AddBackground<CurrentPrices>().AddBackground<OutboxCap>().AddBackground<OrderWatch>();
    }

    private static IServiceCollection AddBackground<T>(this IServiceCollection services)
        where T : class, IHostedService => services.AddSingleton<T>().AddHostedService(provider => provider.GetRequiredService<T>());
}
