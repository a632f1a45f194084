using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace QueueWorkers.Bulk;

/// <summary>Registers bulk actions, for the process that operators use.</summary>
public static class BulkServices
{
    /// <summary>
    /// Adds them, and what archives failures. An application adds its own <see cref="IBulkKind"/>s.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">The configuration; who runs no redrives runs no bulk actions either.</param>
    public static IServiceCollection AddBulkActions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<BulkReader>().AddSingleton<BulkActions>().AddSingleton<IBulkKind, ArchiveFailures>();
        if (configuration.GetValue("Redrive:Run", true))
            services.AddHostedService<BulkRunner>();
        return services;
    }
}
