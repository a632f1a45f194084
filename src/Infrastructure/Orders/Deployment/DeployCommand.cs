using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using QueueWorkers.Deployment;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// The whole deployment, for <c>Workers deploy</c> and for tests: database, broker, roles and users, and what the demo
/// needs. Safe to repeat.
/// </summary>
public static class DeployCommand
{
    // One holds the lock, one migrates, one writes, one to spare.
    private const int Connections = 4;

    /// <summary>Deploys; waits for database and broker to come up.</summary>
    /// <param name="configuration">Connection settings of the owner and of the broker's administrator;
    /// <c>*_DB_PASSWORD</c>, <c>*_MQ_PASSWORD</c>; <c>ORDERS_API_KEY</c>; <c>ORDERS_ADMIN_PASSWORD</c> and
    /// <c>ORDERS_OPERATOR_KEY</c> of the operator <c>admin</c>; <c>Deploy:DemoCatalogue</c>.</param>
    /// <param name="catalogue">The steps.</param>
    /// <param name="logging">Where to report to.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="schedules">The schedules; null for none.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found. Nothing was changed.</exception>
    public static async Task RunAsync(
        IConfiguration configuration,
        StepCatalogue catalogue,
        Action<ILoggingBuilder> logging,
        CancellationToken cancellationToken,
        ScheduleCatalogue? schedules = null
    )
    {
        // All of it before the first change, although the broker's part is needed only after the database's.
        var services = new ServiceCollection();
        var problems = new ConfigurationProblems()
            .Collect(() => services.AddOrdersStore(configuration, atLeast: Connections))
            .Collect(() => Subscriptions.Of(catalogue, configuration));
        var broker = problems.Read(() => RabbitMqOptions.Read(configuration, management: true));
        problems.ThrowIfAny();

        services
            .AddLogging(logging)
            .AddSingleton(configuration)
            .AddSingleton(catalogue)
            .AddSingleton(broker!)
            .AddSingleton<RabbitManagement>()
            .AddSingleton<BrokerDeployment>()
            .AddSingleton<BrokerUsers>()
            .AddSingleton<IDatabaseRoles, DatabaseGrants>()
            .AddScoped<DatabaseDeployment<OrdersDbContext>>()
            .AddScoped<DemoCatalogue>()
            .AddScoped<ApiKeys>()
            .AddSingleton<OperatorStore>()
            .AddSingleton(schedules ?? new ScheduleCatalogue())
            .AddSingleton<ScheduleDeployment>();
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var all = scope.ServiceProvider;
        var logger = all.GetRequiredService<ILoggerFactory>().CreateLogger("Orders.Deployment");

        await ServerWait.UntilAsync(
            "the database",
            () =>
                all.GetRequiredService<DatabaseDeployment<OrdersDbContext>>()
                    .DeployAsync(() => FillAsync(all, configuration, cancellationToken), cancellationToken),
            logger,
            cancellationToken
        );
        await ServerWait.UntilAsync(
            "the broker",
            () => all.GetRequiredService<BrokerDeployment>().DeployAsync(cancellationToken),
            logger,
            cancellationToken
        );
        await all.GetRequiredService<BrokerUsers>().DeployAsync(cancellationToken);
    }

    private static async Task FillAsync(
        IServiceProvider all,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        await all.GetRequiredService<ScheduleDeployment>().DeployAsync(cancellationToken);
        if (configuration.GetValue("Deploy:DemoCatalogue", false))
            await all.GetRequiredService<DemoCatalogue>().SeedAsync(cancellationToken);
        if (configuration["ORDERS_API_KEY"] is { Length: > 0 } key)
            await all.GetRequiredService<ApiKeys>()
                .EnsureAsync("demo", key, ["orders:write", "orders:read"], cancellationToken);
        var (password, operatorKey) = (configuration["ORDERS_ADMIN_PASSWORD"], configuration["ORDERS_OPERATOR_KEY"]);
        if (password is { Length: > 0 } || operatorKey is { Length: > 0 })
            await all.GetRequiredService<OperatorStore>()
                .EnsureAsync("admin", OperatorRole.Admin, password, operatorKey, cancellationToken);
    }
}
