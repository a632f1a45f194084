using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Messaging;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;
using QueueWorkers.Redrive.Planning;

namespace QueueWorkers;

/// <summary>
/// Registers the index of failures and the redrive, for the process that operators use. It needs the relay
/// (<see cref="MessagingServices.AddRelay"/>).
/// </summary>
public static class FailureServices
{
    /// <summary>Adds them.</summary>
    public static IServiceCollection AddFailures(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(FailureOptions.Read(configuration));
        services.AddKeyedSingleton(
            FailureReconciler.Connection,
            (provider, _) =>
                new BrokerConnection(
                    provider.GetRequiredService<RabbitMqOptions>(),
                    provider.GetRequiredService<ILogger<BrokerConnection>>()
                )
        );
        services
            .AddSingleton<DeadLetterRecorder>()
            .AddSingleton<FailureReconciler>()
            .AddSingleton<FailureSearch>()
            .AddSingleton<FailureArchive>();
        services
            .AddSingleton<PayloadContract>()
            .AddSingleton<RedriveTargets>()
            .AddSingleton<RedrivePreview>()
            .AddSingleton<UncertainEffects>()
            .AddSingleton<RedriveReader>()
            .AddSingleton<Redrives>()
            .AddSingleton<RedriveMover>()
            .AddSingleton<PayloadEdits>();
        // Several dashboards may run; one that only shows need not work.
        if (configuration.GetValue("Failures:Index", true))
            services.AddHostedService<FailureIndexer>();
        if (configuration.GetValue("Redrive:Run", true))
            services.AddHostedService<RedriveRunner>();
        return services;
    }
}
