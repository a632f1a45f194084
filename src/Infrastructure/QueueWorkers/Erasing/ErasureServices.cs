using Microsoft.Extensions.DependencyInjection;

namespace QueueWorkers.Erasing;

/// <summary>Registers erasures, for the process that operators use.</summary>
public static class ErasureServices
{
    /// <summary>
    /// Adds them. They need the index of failures, a <see cref="Monitoring.QueueReader"/> and an
    /// <see cref="ISubjectEraser"/>.
    /// </summary>
    public static IServiceCollection AddErasures(this IServiceCollection services) =>
        services.AddSingleton<QueuePresence>().AddSingleton<Erasures>().AddHostedService<ErasureRunner>();
}
