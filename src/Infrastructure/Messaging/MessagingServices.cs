using MassTransit;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orders.Infrastructure.Cancellation;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Idempotency;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Poison;
using Orders.Infrastructure.Steps;
using Orders.Infrastructure.Steps.Limits;
using Orders.Infrastructure.Steps.Reports;

namespace Orders.Infrastructure.Messaging;

/// <summary>Registers the relay, the bus and the steps of a process.</summary>
public static class MessagingServices
{
    // A half-open connection is noticed after two and a half of them; see BrokerConnection.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(8);

    /// <summary>Adds the relay, unless <c>Outbox:Relay</c> is false. Call it before <see cref="AddSteps{TContext}"/>: what is registered first is stopped last.</summary>
    public static IServiceCollection AddRelay(this IServiceCollection services, IConfiguration configuration)
    {
        var options = OutboxOptions.Read(configuration);
        services.AddSingleton(options);
        services.AddSingleton(RabbitMqOptions.Read(configuration));
        services.AddMetrics();
        services.TryAddSingleton<BrokerConnection>();
        services.TryAddSingleton<Fleet>();
        services.TryAddSingleton<RelayMetrics>();
        services.TryAddSingleton<OutboxWriter>();
        if (options.Relay)
            services.AddHostedService<Relay>();
        return services;
    }

    /// <summary>
    /// Adds a bus with an endpoint per step. Messages published in a scope outside a step become rows of <typeparamref name="TContext"/>, in its transaction.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Handed to the steps' own registrations.</param>
    /// <param name="steps">The steps to run here; none for a process that only publishes.</param>
    public static IServiceCollection AddSteps<TContext>(this IServiceCollection services, IConfiguration configuration, IReadOnlyList<StepEntry> steps)
        where TContext : DbContext
    {
        foreach (var step in steps)
            step.Services?.Invoke(services, configuration);

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Fleet>();
        services.TryAddSingleton<ControlMetrics>();
        services.AddDuplicateEvidence();
        services.TryAddSingleton(PoisonOptions.Read(configuration));
        services.TryAddSingleton<PoisonMetrics>();
        services.TryAddSingleton<PoisonGuard>();
        services.TryAddSingleton<StepBits>();
        services.TryAddSingleton<StepCommitter>();
        services.TryAddSingleton<StepFailures>();
        services.TryAddSingleton<StepSkips>();
        services.TryAddSingleton(new RefusedSince());
        services.TryAddSingleton<DatabaseWaitLog>();
        services.TryAddSingleton<RunningSteps>();
        services.TryAddSingleton<Cancellations>();
        services.TryAddSingleton<TimeLimit>();
        services.TryAddSingleton<StepReports>();
        services.TryAddSingleton<StepMetrics>();
        services.TryAddSingleton(provider => new EffectClaims(provider.GetRequiredService<NpgsqlDataSource>()));
        services.TryAddSingleton<RedeliveryScheduler>();
        services.TryAddSingleton(provider => new StepGates([.. steps.Select(s => s.Policy.ToGatedStep())], provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<TimeProvider>()));
        // Before the bus, so that it stops after it: runs that end while the bus stops still report to it.
        services.AddHostedService<ControlPoll>();
        services.TryAddSingleton<OutboxCommitInterceptor>();
        services.TryAddScoped(typeof(IOutboxContextFactory<>), typeof(StepPipeline<>));
        var shutdown = ShutdownOptions.Read(configuration);
        services.Configure<MassTransitHostOptions>(host =>
        {
            // The process starts, and reports itself as not ready, while the broker is away.
            host.WaitUntilStarted = false;
            host.StopTimeout = shutdown.ForTheBus;
            host.ConsumerStopTimeout = shutdown.ForRuns;
        });
        services.TryAddSingleton<StepConsumptions>();
        if (steps.Count > 0)
        {
            services.AddHostedService<CancellationPoll>();
            services.AddSingleton(HealthOptions.Read(configuration)).AddSingleton<ConsumingWatch>().AddHostedService(provider => provider.GetRequiredService<ConsumingWatch>());
            services.AddHealthChecks().AddCheck<ConsumingWatch>("consuming", tags: [OrdersHost.Ready]);
        }

        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            foreach (var step in steps)
                step.Register(bus);
            bus.ReplaceScoped<IScopedBusContextProvider<IBus>, OutboxBusContextProvider<TContext>>();
            bus.UsingRabbitMq((context, broker) =>
            {
                Configure(broker, context.GetRequiredService<RabbitMqOptions>());
                foreach (var step in steps)
                    broker.ReceiveEndpoint(step.Name, endpoint => step.Configure(endpoint, context));
            });
        });
        return services;
    }

    private static void Configure(IRabbitMqBusFactoryConfigurator broker, RabbitMqOptions options)
    {
        SteadyReconnect.UseIn(broker);
        broker.Host(options.Hosts[0], (ushort)options.EffectivePort, options.VirtualHost, host =>
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
                GreetedTcpClient.UseIn(factory);
                return Task.CompletedTask;
            };
            if (options.Tls)
                host.UseSsl();
        });
        broker.ConfigureJsonSerializerOptions(json =>
        {
            json.WriteIndented = false;
            return json;
        });
    }
}
