using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using QueueWorkers.Clocks;

namespace QueueWorkers.Idempotency;

/// <summary>Registers the evidence of duplicates.</summary>
public static class DuplicateServices
{
    /// <summary>What a process needs that notes duplicates.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select, insert on duplicates",
        "select, insert, update on duplicate_counts",
        "usage on sequence duplicates_id_seq",
    ];

    /// <summary>
    /// Adds it, once in a process; call it before what notes duplicates, or the last notes are written too early.
    /// </summary>
    public static IServiceCollection AddDuplicateEvidence(this IServiceCollection services)
    {
        services.TryAddSingleton(DatabaseClock.Provider);
        services.TryAddSingleton<DuplicateEvidence>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DuplicateWriter>());
        return services;
    }
}
