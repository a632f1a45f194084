using System.Net.Security;
using MassTransit;
using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.Consuming.Stages;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.Cancellation;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.Hosting;
using QueueWorkers.Idempotency;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Endpoints;
using QueueWorkers.Steps.Reports;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;
using QueueWorkers.Tls;

namespace QueueWorkers;

/// <summary>Registers the relay, the bus and the steps of a process.</summary>
public static class MessagingServices
{
    // A half-open connection is noticed after two and a half of them; see BrokerConnection.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Adds the relay, unless <c>Outbox:Relay</c> is false. Call it before <see cref="AddSteps{TContext}"/>: what is
    /// registered first is stopped last.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Outbox</c> or <c>RabbitMq</c> cannot work.</exception>
    public static IServiceCollection AddRelay(this IServiceCollection services, IConfiguration configuration)
    {
        var problems = new ConfigurationProblems();
        var options = problems.Read(() => OutboxOptions.Read(configuration));
        var broker = problems.Read(() => RabbitMqOptions.Read(configuration));
        problems.ThrowIfAny();

        services.AddSingleton(options!);
        services.AddSingleton(broker!);
        services.TryAddSingleton<BrokerConnection>();
        services.TryAddSingleton<Fleet>();
        services.AddZeroedMetrics<RelayMetrics>();
        services.TryAddSingleton<OutboxWriter>();
        if (options!.Relay)
            services.AddHostedService<Relay>();
        return services;
    }

    /// <summary>
    /// Adds a bus with an endpoint per step. Messages published in a scope outside a step become rows of
    /// <typeparamref name="TContext"/>, in its transaction.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Handed to the steps' own registrations.</param>
    /// <param name="steps">The steps to run here; none for a process that only publishes.</param>
    /// <exception cref="InvalidConfigurationException">Section <c>Poison</c>, <c>Shutdown</c>, <c>Health</c> or <c>Consuming</c> cannot
    /// work, or one that a step reads.</exception>
    public static IServiceCollection AddSteps<TContext>(
        this IServiceCollection services,
        IConfiguration configuration,
        IReadOnlyList<StepEntry> steps
    )
        where TContext : DbContext
    {
        var problems = new ConfigurationProblems();
        foreach (var step in steps)
            problems.Collect(() => step.Services?.Invoke(services, configuration));
        var poison = problems.Read(() => PoisonOptions.Read(configuration));
        var shutdown = problems.Read(() => ShutdownOptions.Read(configuration));
        var health = problems.Read(() => HealthOptions.Read(configuration));
        var consuming = problems.Read(() => ConsumingOptions.Read(configuration));
        problems.ThrowIfAny();

        services.TryAddSingleton(new DeliveryLimits(consuming!));
        services.TryAddSingleton(DatabaseClock.Provider);
        services.TryAddSingleton<Fleet>();
        services.TryAddSingleton<ControlMetrics>();
        services.AddDuplicateEvidence();
        services.TryAddSingleton(poison!);
        services.AddZeroedMetrics<PoisonMetrics>();
        services.TryAddSingleton<KnownSuspects>();
        services.TryAddSingleton<PoisonGuard>();
        services.TryAddSingleton<StepBitmask>();
        services.TryAddSingleton<IStepProgress, NoProgress>();
        services.TryAddSingleton<StepCommitter>();
        services.TryAddSingleton<StepFailures>();
        services.TryAddSingleton<SkippedSteps>();
        services.TryAddSingleton(new RefusedSince());
        services.TryAddSingleton<DatabaseWaitLog>();
        services.TryAddSingleton<RunningSteps>();
        services.TryAddSingleton<Cancellations>();
        services.TryAddSingleton<TimeLimit>();
        services.TryAddSingleton<StepReports>();
        services.AddZeroedMetrics<StepMetrics>();
        services.TryAddSingleton(provider => new EffectClaims(provider.GetRequiredService<NpgsqlDataSource>()));
        services.TryAddSingleton<RedeliveryScheduler>();
        services.TryAddSingleton<IStepEndpoint, StepEndpoint>();
        services.TryAddSingleton(provider => new StepGates(
            [.. steps.Select(s => s.Policy.ToGatedStep())],
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        // Before the bus, so that it stops after it: runs that end while the bus stops still report to it.
        services.AddHostedService<ControlPoll>();
        services.TryAddSingleton<OutboxCommitInterceptor>();
        services.AddStages();
        services.Configure<MassTransitHostOptions>(host =>
        {
            // The process starts, and reports itself as not ready, while the broker is away.
            host.WaitUntilStarted = false;
            host.StopTimeout = shutdown!.ForTheBus;
            host.ConsumerStopTimeout = shutdown.ForRuns;
        });
        services.TryAddSingleton<StepConsumptions>();
        if (steps.Count > 0)
        {
            services.AddHostedService<CancellationPoll>();
            services
                .AddSingleton(health!)
                .AddSingleton<QueueProbe>()
                .AddSingleton<ProcessExit>()
                .AddSingleton<ConsumingWatch>()
                .AddHostedService(provider => provider.GetRequiredService<ConsumingWatch>());
            services.AddHealthChecks().AddCheck<ConsumingWatch>("consuming", tags: [WorkerHost.Ready]);
        }

        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            foreach (var step in steps)
                step.Register(bus);
            bus.ReplaceScoped<IScopedBusContextProvider<IBus>, OutboxBusContextProvider<TContext>>();
            bus.SetBusFactory(
                new SteadyBusFactory(
                    (context, broker) =>
                    {
                        Configure(broker, context.GetRequiredService<RabbitMqOptions>());
                        foreach (var step in steps)
                            broker.ReceiveEndpoint(step.Name, endpoint => step.Configure(endpoint, context));
                    }
                )
            );
        });
        services.Replace(ServiceDescriptor.Singleton<IBusDepot, SteadyBusStart>());
        return services;
    }

    private static void Configure(IRabbitMqBusFactoryConfigurator broker, RabbitMqOptions options)
    {
        broker.Host(
            options.Hosts[0],
            (ushort)options.EffectivePort,
            options.VirtualHost,
            host =>
            {
                if (options.Hosts.Count > 1)
                {
                    host.UseCluster(cluster =>
                    {
                        foreach (var node in options.Hosts)
                            cluster.Node($"{node}:{options.EffectivePort}");
                    });
                }

                host.Username(options.Username);
                host.Password(options.Password);
                host.Heartbeat(Heartbeat);
                host.ConnectionName($"{AppDomain.CurrentDomain.FriendlyName} steps");
                host.OnRefreshConnectionFactory = factory =>
                {
                    HandshakeTimeoutClient.UseIn(factory);
                    return Task.CompletedTask;
                };
                if (!options.Tls)
                    return;
                host.UseSsl(ssl =>
                {
                    // The one name that MassTransit takes, also for a cluster: hence any of them may be in a certificate.
                    ssl.ServerName = options.Hosts[0];
                    ssl.Protocol = ServerTrust.Protocols;
                    // By itself it accepts every chain.
                    ssl.EnforcePolicyErrors(
                        SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch
                    );
                    ssl.CertificateValidationCallback = options.Trust.RequireOneOf(options.Hosts);
                });
            }
        );
        broker.ConfigureJsonSerializerOptions(json =>
        {
            json.WriteIndented = false;
            return json;
        });
    }
}
