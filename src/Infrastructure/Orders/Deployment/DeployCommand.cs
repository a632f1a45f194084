using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Deployment;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;
using QueueWorkers.Tls;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// The whole deployment, for <c>Workers deploy</c> and for tests: database, broker, roles and users, and what the demo
/// needs. Safe to repeat.
/// </summary>
public static partial class DeployCommand
{
    private const string Admin = "admin";
    private const string LogCategory = "Orders.Deployment";

    // One holds the lock and writes, one migrates, one reads meanwhile, one to spare.
    private const int Connections = 4;

    /// <summary>Deploys; waits for database and broker to come up.</summary>
    /// <param name="configuration">Connection settings of the owner and of the broker's administrator;
    /// <c>*_DB_PASSWORD</c>, <c>*_MQ_PASSWORD</c>; <c>ORDERS_API_KEY</c>; <c>ORDERS_ADMIN_PASSWORD</c> and
    /// <c>ORDERS_OPERATOR_KEY</c> of the operator <c>admin</c>; <c>Deploy:DemoCatalogue</c>.</param>
    /// <param name="catalogue">The steps.</param>
    /// <param name="logging">Where to report to.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="schedules">The schedules; null for none.</param>
    /// <param name="found">Problems that were found before; null for none.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found. Nothing was changed.</exception>
    public static async Task RunAsync(
        IConfiguration configuration,
        StepCatalogue catalogue,
        Action<ILoggingBuilder> logging,
        CancellationToken cancellationToken,
        ScheduleCatalogue? schedules = null,
        ConfigurationProblems? found = null
    )
    {
        // All of it before the first change, although the broker's part is needed only after the database's.
        var services = new ServiceCollection();
        var problems = (found ?? new ConfigurationProblems())
            .Collect(() => services.AddOrdersStore(configuration, atLeast: Connections))
            .Collect(() => Subscriptions.Of(catalogue, configuration));
        var broker = problems.Read(() => RabbitMqOptions.Read(configuration, management: true));
        var weak = configuration["ORDERS_ADMIN_PASSWORD"] is { Length: > 0 } given
            ? PasswordRules.ProblemOf(given, Admin)
            : null;
        problems
            .Require(weak is null, $"ORDERS_ADMIN_PASSWORD cannot be used. {weak}")
            .Require(
                configuration["ORDERS_API_KEY"] is not { Length: > 0 } api || ApiKeyHash.IsWellFormed(api),
                KeyForm("ORDERS_API_KEY", ApiKeys.Prefix, "API")
            )
            .Require(
                configuration["ORDERS_OPERATOR_KEY"] is not { Length: > 0 } own || OperatorKey.IsWellFormed(own),
                KeyForm("ORDERS_OPERATOR_KEY", OperatorKey.Prefix, "operator API")
            );
        problems.ThrowIfAny();

        services
            .AddLogging(logging)
            .AddSingleton(configuration)
            .AddSingleton(OrdersSettings.Known)
            .AddSingleton<UnknownSettingsReport>()
            .AddSingleton(catalogue)
            .AddSingleton(broker!)
            .AddSingleton<RabbitManagement>()
            .AddSingleton<BrokerDeployment>()
            .AddSingleton<BrokerUsers>()
            .AddSingleton<IDatabaseRoles, DatabaseGrants>()
            .AddScoped<DatabaseDeployment<OrdersDbContext>>()
            .AddSingleton(schedules ?? new ScheduleCatalogue())
            .AddSingleton<ScheduleDeployment>();
        await using var provider = services.BuildServiceProvider();
        var logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger(LogCategory);
        provider.GetRequiredService<UnknownSettingsReport>().Write();
        await ServerWait.UntilAsync(
            "the database",
            async () =>
            {
                // A context of its own for each try: the last one may have lost its connection.
                await using var scope = provider.CreateAsyncScope();
                await scope
                    .ServiceProvider.GetRequiredService<DatabaseDeployment<OrdersDbContext>>()
                    .DeployAsync(
                        keep => DeployBrokerAsync(provider, keep, logger, cancellationToken),
                        transaction => FillAsync(provider, transaction, configuration, cancellationToken),
                        cancellationToken
                    );
            },
            DatabaseEncryption.Explain,
            logger,
            cancellationToken
        );
    }

    private static string KeyForm(string name, string prefix, string who) =>
        $"{name} must be '{prefix}' and 43 characters of A–Z, a–z, 0–9, '-' and '_', got another form, which the {who} refuses; set {name}, or delete its line in .env and run ./dev env";

    // Before the catalogue says that a step is required: an order that is accepted then finds the step's queue.
    private static Task DeployBrokerAsync(
        ServiceProvider all,
        Func<Task<bool>> keep,
        ILogger logger,
        CancellationToken cancellationToken
    ) =>
        ServerWait.UntilAsync(
            "the broker",
            async () =>
            {
                await all.GetRequiredService<BrokerDeployment>().DeployAsync(cancellationToken);
                await all.GetRequiredService<BrokerUsers>().DeployAsync(keep, cancellationToken);
            },
            fault => BrokerFault.ExplainTls(fault, all.GetRequiredService<RabbitMqOptions>()),
            logger,
            cancellationToken
        );

    private static async Task FillAsync(
        ServiceProvider all,
        NpgsqlTransaction transaction,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection!;
        await all.GetRequiredService<ScheduleDeployment>().DeployAsync(connection, cancellationToken);
        await using var context = new OrdersDbContext(
            (DbContextOptions<OrdersDbContext>)
                OrdersStore.Configure(new DbContextOptionsBuilder<OrdersDbContext>(), connection).Options
        );
        await context.Database.UseTransactionAsync(transaction, cancellationToken);
        if (configuration.GetValue("Deploy:DemoCatalogue", false))
            await new DemoCatalogue(context).SeedAsync(cancellationToken);
        if (configuration["ORDERS_API_KEY"] is { Length: > 0 } key)
            await new ApiKeys(context).EnsureAsync(
                "demo",
                key,
                ["orders:write", "orders:read", "webhooks:write"],
                cancellationToken
            );
        var (password, operatorKey) = (configuration["ORDERS_ADMIN_PASSWORD"], configuration["ORDERS_OPERATOR_KEY"]);
        if (
            (password is { Length: > 0 } || operatorKey is { Length: > 0 })
            && !await OperatorStore.EnsureAsync(
                connection,
                Admin,
                OperatorRole.Admin,
                password,
                operatorKey,
                cancellationToken
            )
        )
            KeyIsDead(all.GetRequiredService<ILoggerFactory>().CreateLogger(LogCategory));
    }

    [LoggerMessage(3009, LogLevel.Warning, "ORDERS_OPERATOR_KEY was revoked or has expired; choose another")]
    private static partial void KeyIsDead(ILogger logger);
}
