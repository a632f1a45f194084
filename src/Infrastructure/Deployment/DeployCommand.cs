using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Operators;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Scheduling;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Deployment;

/// <summary>The whole deployment, for <c>Workers deploy</c> and for tests: database, broker, roles and users, and what the demo needs. Safe to repeat.</summary>
public static class DeployCommand
{
    // One holds the lock, one migrates, one writes, one to spare.
    private const int Connections = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Deploys; waits for database and broker to come up.</summary>
    /// <param name="configuration">Connection settings of the owner and of the broker's administrator; <c>*_DB_PASSWORD</c>, <c>*_MQ_PASSWORD</c>; <c>ORDERS_API_KEY</c>; <c>ORDERS_ADMIN_PASSWORD</c> and <c>ORDERS_OPERATOR_KEY</c> of the operator <c>admin</c>; <c>Deploy:DemoCatalogue</c>.</param>
    /// <param name="catalogue">The steps.</param>
    /// <param name="logging">Where to report to.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="schedules">The schedules; null for none.</param>
    public static async Task RunAsync(IConfiguration configuration, StepCatalogue catalogue, Action<ILoggingBuilder> logging, CancellationToken cancellationToken, ScheduleCatalogue? schedules = null)
    {
        var services = new ServiceCollection().AddLogging(logging).AddSingleton(configuration).AddSingleton(catalogue).AddOrdersStore(configuration, atLeast: Connections)
            .AddSingleton(RabbitMqOptions.Read(configuration)).AddSingleton<RabbitManagement>().AddSingleton<BrokerDeployment>().AddSingleton<BrokerUsers>()
            .AddScoped<DatabaseDeployment>().AddScoped<DemoCatalogue>().AddScoped<ApiKeys>().AddSingleton<OperatorStore>()
            .AddSingleton(schedules ?? new ScheduleCatalogue()).AddSingleton<ScheduleDeployment>();
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var all = scope.ServiceProvider;
        var logger = all.GetRequiredService<ILoggerFactory>().CreateLogger("Orders.Deployment");

        await WaitForAsync("the database", () => all.GetRequiredService<DatabaseDeployment>().DeployAsync(() => FillAsync(all, configuration, cancellationToken), cancellationToken), logger, cancellationToken);
        await WaitForAsync("the broker", () => all.GetRequiredService<BrokerDeployment>().DeployAsync(cancellationToken), logger, cancellationToken);
        await all.GetRequiredService<BrokerUsers>().DeployAsync(cancellationToken);
    }

    private static async Task FillAsync(IServiceProvider all, IConfiguration configuration, CancellationToken cancellationToken)
    {
        await all.GetRequiredService<ScheduleDeployment>().DeployAsync(cancellationToken);
        if (configuration.GetValue("Deploy:DemoCatalogue", false))
            await all.GetRequiredService<DemoCatalogue>().SeedAsync(cancellationToken);
        if (configuration["ORDERS_API_KEY"] is { Length: > 0 } key)
            await all.GetRequiredService<ApiKeys>().EnsureAsync("demo", key, ["orders:write", "orders:read"], cancellationToken);
        var (password, operatorKey) = (configuration["ORDERS_ADMIN_PASSWORD"], configuration["ORDERS_OPERATOR_KEY"]);
        if (password is { Length: > 0 } || operatorKey is { Length: > 0 })
            await all.GetRequiredService<OperatorStore>().EnsureAsync("admin", OperatorRole.Admin, password, operatorKey, cancellationToken);
    }

    private static async Task WaitForAsync(string what, Func<Task> action, ILogger logger, CancellationToken cancellationToken)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (Exception exception) when (DateTime.UtcNow < deadline && IsNotThereYet(exception))
            {
                DeploymentLog.Waiting(logger, what, exception.InnerException?.Message ?? exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
    }

    private static bool IsNotThereYet(Exception exception) => exception switch
    {
        // A wrong password or a missing database does not come right by itself: the deployer is told at once.
        PostgresException postgres => DatabaseFault.IsUnavailable(postgres) && postgres.SqlState[..2] is not ("28" or "3D"),
        NpgsqlException or RabbitMQ.Client.Exceptions.BrokerUnreachableException => true,
        HttpRequestException { StatusCode: null } => true,
        DbUpdateException or InvalidOperationException => exception.InnerException is { } inner && IsNotThereYet(inner),
        _ => false,
    };
}
