using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Idempotency;
using Orders.Infrastructure.Orders.Cancelling;
using Orders.Infrastructure.Orders.Failures;
using Orders.Infrastructure.Orders.Feeding;
using Orders.Infrastructure.Orders.Intake;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Replays;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Orders;

/// <summary>Registers the database of Orders.</summary>
public static class OrdersStore
{
    /// <summary>Adds the data source, the context and the relay's feed. Connection string: <c>ConnectionStrings:Postgres</c>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Connection string and <see cref="DatabaseOptions"/>.</param>
    /// <param name="connections">The most connections of this kind of host, unless the configuration says otherwise.</param>
    /// <param name="atLeast">How many it cannot do without, whatever the configuration says.</param>
    public static IServiceCollection AddOrdersStore(this IServiceCollection services, IConfiguration configuration, int connections = DatabaseOptions.Worker, int atLeast = 1)
    {
        var options = DatabaseOptions.Read(configuration, connections);
        if (options.MaxConnections < atLeast)
            options = options with { MaxConnections = atLeast };
        services.AddSingleton(options);
        services.AddSingleton(CreateDataSource(configuration, options));
        services.AddSingleton<RelayFeed>();
        services.AddSingleton<OutboxCommitInterceptor>();
        services.TryAddSingleton<StepBits>();
        services.AddSingleton<IStepProgress, OrderProgressRecorder>();
        services.AddDbContext<OrdersDbContext>((provider, options) =>
            Configure(options, provider.GetRequiredService<NpgsqlDataSource>()).AddInterceptors(provider.GetRequiredService<OutboxCommitInterceptor>()));
        return services;
    }

    /// <summary>Adds what stores posted orders, and cancels them.</summary>
    public static IServiceCollection AddOrderIntake(this IServiceCollection services) => services.AddDuplicateEvidence().AddSingleton<OrderIntake>().AddSingleton<OrderCancellation>();

    /// <summary>Adds what works on orders in the background, apart from their steps: nobody starves, and replays go on. One process of a kind is enough, several do no harm.</summary>
    public static IServiceCollection AddOrderFeeding(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OrderAgeing>().AddHostedService<OrderAgeingLoop>();
        return services.AddReplays().AddHostedService<ReplayRunner>();
    }

    /// <summary>Adds what begins, holds and shows replays.</summary>
    public static IServiceCollection AddReplays(this IServiceCollection services) => services.AddSingleton<IReplaySource, OrderReplays>().AddSingleton<ReplayDesk>();

    /// <summary>Adds what the index of failures asks about orders and their messages.</summary>
    public static IServiceCollection AddOrderFailures(this IServiceCollection services) =>
        services.AddSingleton<Topology.ILostMessages, OrderLostMessages>().AddSingleton<ISubjectDirectory, OrderDirectory>().AddSingleton<IMessageContracts, OrderContracts>().AddSingleton<OrderFailures>();

    /// <summary>Configures a context for the tables of Orders.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, NpgsqlDataSource dataSource) =>
        options.UseNpgsql(dataSource).UseSnakeCaseNamingConvention();

    private static NpgsqlDataSource CreateDataSource(IConfiguration configuration, DatabaseOptions options)
    {
        var text = configuration.GetConnectionString("Postgres");
        new ConfigurationProblems()
            .Require(!string.IsNullOrWhiteSpace(text), "ConnectionStrings:Postgres must be a PostgreSQL connection string, got nothing; set ConnectionStrings__Postgres")
            .ThrowIfAny();

        var settings = new NpgsqlConnectionStringBuilder(text)
        {
            // The hot statements are few and long: planning them once per connection halves their cost.
            MaxAutoPrepare = 50,
            AutoPrepareMinUsages = 2,
            // A half-open connection is noticed within 25 s instead of after the kernel's two hours.
            KeepAlive = 10,
            TcpKeepAlive = true,
            // A command that has timed out breaks its connection. Asking the server first to cancel it, over one more connection, waits without an end where the network has fallen silent.
            CancellationTimeout = -1,
            // Seven statements each time a connection is given back, one in five of all. Nothing here leaves a setting or a lock behind in its session.
            NoResetOnClose = true,
            // Who needs one more waits for it. One stays, so that a process that looks now and then does not log in each time; those beyond go soon after the load.
            MaxPoolSize = options.MaxConnections,
            MinPoolSize = 1,
            ConnectionIdleLifetime = 20,
            ConnectionPruningInterval = 5,
        };
        settings.ApplicationName ??= AppDomain.CurrentDomain.FriendlyName;
        // Asked of the text: Npgsql's own builder says yes for every keyword it knows, given or not, and the time-out would stay at its 30 s.
        var given = new DbConnectionStringBuilder { ConnectionString = text };
        if (!given.ContainsKey("Command Timeout") && !given.ContainsKey("CommandTimeout"))
            settings.CommandTimeout = 15;
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }
}
