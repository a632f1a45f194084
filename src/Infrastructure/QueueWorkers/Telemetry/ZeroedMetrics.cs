using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace QueueWorkers.Telemetry;

/// <summary>
/// Begins all series of <see cref="IZeroedMetrics"/>. As a service that is started, because what is measured before
/// OpenTelemetry listens is lost, and it begins to listen as the first service of the host.
/// </summary>
internal sealed class ZeroedMetrics(IEnumerable<IZeroedMetrics> metrics) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var zeroed in metrics)
            zeroed.Zero();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Registers metrics.</summary>
public static class ZeroedMetricsServices
{
    /// <summary>Adds metrics whose counters begin with 0. Calling it again changes nothing.</summary>
    public static IServiceCollection AddZeroedMetrics<T>(this IServiceCollection services)
        where T : class, IZeroedMetrics
    {
        services.AddMetrics();
        services.TryAddSingleton<T>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IZeroedMetrics, T>(provider => provider.GetRequiredService<T>())
        );
        return services;
    }
}
