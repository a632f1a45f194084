using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Deployment;
using QueueWorkers.Deployment.Framework;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Scheduling;
using QueueWorkers.Tls;

namespace QueueWorkers;

/// <summary>
/// The whole deployment of an application: database, broker, roles and users. Safe to repeat, and safe to run while the
/// system works.
/// </summary>
public static class QueueWorkersDeployment
{
    // One holds the lock and writes, one migrates, one reads meanwhile, one to spare.
    private const int Connections = 4;

    /// <summary>Reports to the console, one line an event. EF Core logs its own look at a database without a history as
    /// an error; what matters is thrown.</summary>
    public static void ToConsole(ILoggingBuilder logging) =>
        logging
            .AddSimpleConsole(console => console.SingleLine = true)
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None);

    /// <summary>Deploys; waits for database and broker to come up.</summary>
    /// <typeparam name="TContext">The application's context, which has the migrations.</typeparam>
    /// <param name="configuration">Connection settings of the owner and of the broker's administrator;
    /// <c>*_DB_PASSWORD</c>, <c>*_MQ_PASSWORD</c> of processes that get a role and a user of their own.</param>
    /// <param name="options">Steps, schedules and context.</param>
    /// <param name="logging">Where to report to.</param>
    /// <param name="services">Adds services; null for none. An <see cref="IDatabaseRoles"/> among them takes the place of
    /// <see cref="StepRoles"/>.</param>
    /// <param name="fill">Writes first rows, in the transaction of the deployment; null for none.</param>
    /// <param name="found">Problems that were found before; null for none.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found. Nothing was changed.</exception>
    public static async Task RunAsync<TContext>(
        IConfiguration configuration,
        QueueWorkersOptions options,
        Action<ILoggingBuilder> logging,
        Action<IServiceCollection>? services = null,
        Func<IServiceProvider, NpgsqlTransaction, CancellationToken, Task>? fill = null,
        ConfigurationProblems? found = null,
        CancellationToken cancellationToken = default
    )
        where TContext : DbContext
    {
        // All of it before the first change, although the broker's part is needed only after the database's.
        var all = new ServiceCollection();
        var problems = (found ?? new ConfigurationProblems())
            .Collect(() => all.AddDatabase<TContext>(configuration, options.Context, atLeast: Connections))
            .Collect(() => Subscriptions.Of(options.Steps, configuration));
        var broker = problems.Read(() => RabbitMqOptions.Read(configuration, management: true));
        problems.ThrowIfAny();

        if (options.Settings is { } settings)
            all.AddSingleton(settings).AddSingleton<UnknownSettingsReport>();
        services?.Invoke(all);
        all.TryAddSingleton<IDatabaseRoles, StepRoles>();
        all.AddLogging(logging)
            .AddSingleton(configuration)
            .AddSingleton(options.Steps)
            .AddSingleton(broker!)
            .AddSingleton<RabbitManagement>()
            .AddSingleton<BrokerDeployment>()
            .AddSingleton<BrokerUsers>()
            .AddScoped<DatabaseDeployment<TContext>>()
            .AddSingleton(options.WithPurge())
            .AddSingleton<ScheduleDeployment>();
        await using var provider = all.BuildServiceProvider();
        var logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(QueueWorkersDeployment));
        provider.GetService<UnknownSettingsReport>()?.Write();
        await ServerWait.UntilAsync(
            "the database",
            async () =>
            {
                // A context of its own for each try: the last one may have lost its connection.
                await using var scope = provider.CreateAsyncScope();
                await scope
                    .ServiceProvider.GetRequiredService<DatabaseDeployment<TContext>>()
                    .DeployAsync(
                        keep => DeployBrokerAsync(provider, keep, logger, cancellationToken),
                        transaction => FillAsync(provider, transaction, fill, cancellationToken),
                        cancellationToken
                    );
            },
            DatabaseEncryption.Explain,
            logger,
            cancellationToken
        );
    }

    // Before the catalogue says that a step is required: a subject that is accepted then finds the step's queue.
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
        Func<IServiceProvider, NpgsqlTransaction, CancellationToken, Task>? fill,
        CancellationToken cancellationToken
    )
    {
        await all.GetRequiredService<ScheduleDeployment>().DeployAsync(transaction.Connection!, cancellationToken);
        if (fill is not null)
            await fill(all, transaction, cancellationToken);
    }
}
