using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using QueueWorkers.Hosting;

namespace QueueWorkers.Completeness;

/// <summary>Registers what <see cref="CompletenessJob"/> needs.</summary>
public static class CompletenessServices
{
    /// <summary>What a process needs that runs the check; what the source reads comes on top.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    ["select, insert, update, delete on completeness_gaps, completeness_open, completeness_marks"];

    /// <summary>Adds it.</summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Completeness</c> cannot work.</exception>
    public static IServiceCollection AddCompleteness<TSource>(
        this IServiceCollection services,
        IConfiguration configuration
    )
        where TSource : class, ICompletenessSource
    {
        services.AddSingleton(CompletenessOptions.Read(configuration)).AddSingleton<ICompletenessSource, TSource>();
        services.AddMetrics();
        services.TryAddSingleton<CompletenessMetrics>();
        return services;
    }
}
