using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using QueueWorkers.Hosting;
using QueueWorkers.Scheduling.Firings;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Scheduling;

/// <summary>Registers what keeps the schedules.</summary>
public static class ScheduleServices
{
    /// <summary>
    /// Adds the schedules to a process, unless <c>Workers:Schedules</c> is false. Any number of processes may have
    /// them.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Schedules</c> cannot work, or one that a
    /// job reads.</exception>
    public static IServiceCollection AddSchedules(
        this IServiceCollection services,
        IConfiguration configuration,
        ScheduleCatalogue catalogue
    )
    {
        if (!configuration.GetValue("Workers:Schedules", true))
            return services;

        var problems = new ConfigurationProblems();
        var options = problems.Read(() => ScheduleOptions.Read(configuration));
        foreach (var schedule in catalogue.Schedules)
            problems.Collect(() => schedule.Services?.Invoke(services, configuration));
        problems.ThrowIfAny();

        services.AddSingleton(options!).AddSingleton(catalogue);
        services.AddZeroedMetrics<ScheduleMetrics>();
        services.TryAddSingleton<Fleet>();
        foreach (var schedule in catalogue.Schedules)
        {
            if (schedule.Job is { } job)
                services.TryAddScoped(job);
        }

        services.AddSingleton<JobRunner>().AddHostedService(provider => provider.GetRequiredService<JobRunner>());
        services
            .AddSingleton<ScheduleRunner>()
            .AddHostedService(provider => provider.GetRequiredService<ScheduleRunner>());
        return services;
    }
}
