using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using OpenTelemetry.Metrics;
using Orders.Infrastructure.Bulk;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Erasing;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Intake;
using Orders.Infrastructure.Telemetry;
using QueueWorkers;
using QueueWorkers.Bulk;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters;
using QueueWorkers.Erasing;
using QueueWorkers.Hosting;
using QueueWorkers.Idempotency;
using QueueWorkers.Messaging;
using QueueWorkers.PersonalData;
using QueueWorkers.Replays;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace Orders.Infrastructure;

/// <summary>Registers the database of Orders.</summary>
public static class OrdersStore
{
    /// <summary>
    /// Adds the database and what keeps orders in step with their steps. Connection string:
    /// <c>ConnectionStrings:Postgres</c>; the password of <c>Database:Password</c>, if set, replaces the one in it.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Connection string and <see cref="DatabaseOptions"/>.</param>
    /// <param name="connections">The most connections of this kind of host, unless the configuration says
    /// otherwise.</param>
    /// <param name="atLeast">How many it cannot do without, whatever the configuration says.</param>
    /// <exception cref="InvalidConfigurationException">Section <c>Database</c> cannot work, or there is no connection
    /// string.</exception>
    public static IServiceCollection AddOrdersStore(
        this IServiceCollection services,
        IConfiguration configuration,
        int connections = DatabaseOptions.Worker,
        int atLeast = 1
    ) => services.AddDatabase<OrdersDbContext>(configuration, Configure, connections, atLeast).AddOrderProgress();

    /// <summary>Adds what derives the state of orders from their steps, for a host that has the database.</summary>
    public static IServiceCollection AddOrderProgress(this IServiceCollection services)
    {
        services.TryAddSingleton<StepBitmask>();
        services.AddSingleton<IStepProgress, OrderProgressRecorder>();
        services.AddZeroedMetrics<OrderMetrics>();
        return services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddMeter(OrderMetrics.Name));
    }

    /// <summary>
    /// Adds what tells customers apart without naming them, for a host that makes messages of orders.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">Section <c>PersonalData</c> cannot work.</exception>
    public static IServiceCollection AddPersonalDataHash(
        this IServiceCollection services,
        IConfiguration configuration
    ) => services.AddSingleton(PersonalDataHash.Read(configuration));

    /// <summary>Adds what stores posted orders, and cancels them.</summary>
    public static IServiceCollection AddOrderIntake(this IServiceCollection services) =>
        services
            .AddDuplicateEvidence()
            .AddSingleton<OrderIntake>()
            .AddSingleton<KeyRecall>()
            .AddSingleton<OrderCancellation>();

    /// <summary>
    /// Adds what works on orders in the background, apart from their steps: nobody starves, and replays go on. One
    /// process of a kind is enough, several do no harm.
    /// </summary>
    public static IServiceCollection AddOrderFeeding(this IServiceCollection services)
    {
        services.TryAddSingleton(DatabaseClock.Provider);
        services.AddSingleton<OrderAging>().AddHostedService<OrderAgingLoop>();
        return services.AddReplays().AddHostedService<ReplayRunner>();
    }

    /// <summary>Adds what begins, holds and shows replays.</summary>
    public static IServiceCollection AddReplays(this IServiceCollection services) =>
        services
            .AddSingleton<OrderReplays>()
            .AddSingleton<IReplaySource>(provider => provider.GetRequiredService<OrderReplays>())
            .AddSingleton<ReplayService>();

    /// <summary>
    /// Adds what is done to many orders or failures at once, for the process that operators use. It needs replays,
    /// failures and what cancels an order.
    /// </summary>
    public static IServiceCollection AddOrderBulkActions(
        this IServiceCollection services,
        IConfiguration configuration
    ) =>
        services
            .AddSingleton<IBulkKind, CancelOrders>()
            .AddSingleton<IBulkKind, ReplayStep>()
            .AddSingleton<BulkCountReader>()
            .AddBulkActions(configuration);

    /// <summary>Adds what the index of failures asks about orders and their messages.</summary>
    public static IServiceCollection AddOrderFailures(this IServiceCollection services) =>
        services
            .AddSingleton<QueueWorkers.Topology.ILostMessages, OrderLostMessages>()
            .AddSingleton<ISubjectDirectory, OrderDirectory>()
            .AddSingleton<IMessageContracts, OrderContracts>()
            .AddSingleton<OrderFailures>();

    /// <summary>Adds what erases and exports the data of a customer.</summary>
    public static IServiceCollection AddOrderErasure(this IServiceCollection services) =>
        services.AddSingleton<ISubjectEraser, OrderEraser>().AddSingleton<CustomerExport>().AddErasures();

    /// <summary>How the tables of Orders are named, for a context that has its database.</summary>
    public static void Configure(DbContextOptionsBuilder options) => options.UseSnakeCaseNamingConvention();

    /// <summary>Configures a context for the tables of Orders.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, NpgsqlDataSource dataSource) =>
        options.UseNpgsql(dataSource).UseSnakeCaseNamingConvention();

    /// <summary>The same over a connection of the caller's, to take part in its transaction.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, NpgsqlConnection connection) =>
        options.UseNpgsql(connection).UseSnakeCaseNamingConvention();
}
