using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using QueueWorkers.Hosting;

namespace QueueWorkers.Retention;

/// <summary>Registers what <see cref="PurgeJob"/> needs.</summary>
public static class RetentionServices
{
    /// <summary>Adds it.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Section <c>Retention</c>.</param>
    /// <param name="more">Rules of the application's own tables, besides the framework's.</param>
    /// <exception cref="InvalidConfigurationException">The section cannot work.</exception>
    public static IServiceCollection AddRetention(
        this IServiceCollection services,
        IConfiguration configuration,
        IReadOnlyList<RetentionRule> more
    )
    {
        services.AddSingleton(RetentionOptions.Read(configuration, [.. RetentionRules.Framework, .. more]));
        services.AddMetrics();
        services.TryAddSingleton<RetentionMetrics>();
        return services;
    }
}
