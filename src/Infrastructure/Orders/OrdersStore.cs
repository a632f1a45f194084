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
    public static IServiceCollection AddOrdersStore(this IServiceCollection services, IConfiguration configuration)
    {
        var dataSource = CreateDataSource(configuration);
        services.AddSingleton(dataSource);
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

    private static NpgsqlDataSource CreateDataSource(IConfiguration configuration)
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
            // Seven statements each time a connection is given back, one in five of all. Nothing here leaves a setting behind, and the two that lock a session unlock it (SessionLocks).
            NoResetOnClose = true,
            ApplicationName = AppDomain.CurrentDomain.FriendlyName,
        };
        // Asked of the text: Npgsql's own builder says yes for every keyword it knows, given or not, and the time-out would stay at its 30 s.
        var given = new DbConnectionStringBuilder { ConnectionString = text };
        if (!given.ContainsKey("Command Timeout") && !given.ContainsKey("CommandTimeout"))
            settings.CommandTimeout = 15;
        // A stuck twin on the same message, key or order must not pin a slot for ever; 55P03 is a transient fault and the message comes again.
        settings.Options = $"{settings.Options} -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s".Trim();
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }
}
