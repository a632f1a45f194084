using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using QueueWorkers.Clocks;

namespace QueueWorkers.Topology;

/// <summary>
/// Registers the check of the topology, for the process that operators use. It needs the failures
/// (<c>AddFailures</c>) and an <see cref="ILostMessages"/>.
/// </summary>
public static class TopologyServices
{
    /// <summary>Adds it, unless <c>Topology:Check</c> is false.</summary>
    public static IServiceCollection AddTopologyCheck(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(DatabaseClock.Provider);
        services.AddMetrics();
        services.AddSingleton<TopologyReader>().AddSingleton<TopologyMetrics>();
        services
            .AddSingleton<TopologyRepair>()
            .AddSingleton<LostMessageSender>()
            .AddSingleton<QueueLimitWatch>()
            .AddSingleton<TopologyGuard>();
        services.AddSingleton<ITopologyFindings>(provider => new GuardFindings(
            provider.GetRequiredService<TopologyGuard>()
        ));
        if (configuration.GetValue("Topology:Check", true))
            services.AddHostedService(provider => provider.GetRequiredService<TopologyGuard>());
        return services;
    }

    private sealed class GuardFindings(TopologyGuard guard) : ITopologyFindings
    {
        public IReadOnlyList<TopologyFinding> Now => guard.Findings;
    }
}

/// <summary>What the check of the topology has found.</summary>
public interface ITopologyFindings
{
    /// <summary>What is wrong now, and what was in the last ten minutes.</summary>
    IReadOnlyList<TopologyFinding> Now { get; }
}
