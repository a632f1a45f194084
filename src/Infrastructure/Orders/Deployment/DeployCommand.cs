using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers;
using QueueWorkers.Deployment;
using QueueWorkers.Hosting;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// The whole deployment, for <c>Workers deploy</c> and for tests: the framework's, with the roles of Orders, and what
/// the demo needs. Safe to repeat.
/// </summary>
public static partial class DeployCommand
{
    private const string Admin = "admin";
    private const string LogCategory = "Orders.Deployment";

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
        var problems = found ?? new ConfigurationProblems();
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
        await QueueWorkersDeployment.RunAsync<OrdersDbContext>(
            configuration,
            new QueueWorkersOptions
            {
                Steps = catalogue,
                Schedules = schedules ?? new ScheduleCatalogue(),
                Retention = null,
                Context = OrdersStore.Configure,
                Settings = OrdersSettings.Known,
            },
            logging,
            services => services.AddSingleton<IDatabaseRoles, DatabaseGrants>(),
            (provider, transaction, cancelled) => FillAsync(provider, transaction, configuration, cancelled),
            problems,
            cancellationToken
        );
    }

    private static string KeyForm(string name, string prefix, string who) =>
        $"{name} must be '{prefix}' and 43 characters of A–Z, a–z, 0–9, '-' and '_', got another form, which the {who} refuses; set {name}, or delete its line in .env and run ./dev env";

    private static async Task FillAsync(
        IServiceProvider all,
        NpgsqlTransaction transaction,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection!;
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
