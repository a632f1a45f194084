using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Writing;
using QueueWorkers.Telemetry;
using QueueWorkers.Tls;

namespace QueueWorkers;

/// <summary>Registers the database of an application.</summary>
public static class DatabaseServices
{
    /// <summary>
    /// Adds the data source, the application's context and the relay's feed. Connection string:
    /// <c>ConnectionStrings:Postgres</c>; the password of <c>Database:Password</c>, if set, replaces the one in it.
    /// </summary>
    /// <typeparam name="TContext">The application's context; its model calls <c>UseQueueWorkers</c>.</typeparam>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Connection string and <see cref="DatabaseOptions"/>.</param>
    /// <param name="context">Configures the context beyond its database; null for nothing.</param>
    /// <param name="connections">The most connections of this kind of host, unless the configuration says
    /// otherwise.</param>
    /// <param name="atLeast">How many it cannot do without, whatever the configuration says.</param>
    /// <exception cref="InvalidConfigurationException">Section <c>Database</c> cannot work, or there is no connection
    /// string.</exception>
    public static IServiceCollection AddDatabase<TContext>(
        this IServiceCollection services,
        IConfiguration configuration,
        Action<DbContextOptionsBuilder>? context = null,
        int connections = DatabaseOptions.Worker,
        int atLeast = 1
    )
        where TContext : DbContext
    {
        var text = configuration.GetConnectionString("Postgres");
        var problems = new ConfigurationProblems().Require(
            !string.IsNullOrWhiteSpace(text),
            "ConnectionStrings:Postgres must be a PostgreSQL connection string, got nothing; set ConnectionStrings__Postgres"
        );
        var options = problems.Read(() => DatabaseOptions.Read(configuration, connections));
        // PostgreSQL quotes whole rows in it, with names and addresses.
        problems
            .Require(
                configuration[HostDefaults.EnvironmentKey] == "Development"
                    || string.IsNullOrWhiteSpace(text)
                    || !IncludesErrorDetail(text),
                "ConnectionStrings:Postgres must not have Include Error Detail: faults would quote rows with personal data; remove it, or set the environment to Development"
            )
            .ThrowIfAny();

        if (options!.MaxConnections < atLeast)
            options = options with { MaxConnections = atLeast };
        services.AddSingleton(options);
        services.AddSingleton(CreateDataSource(text!, configuration["Database:Password"], options));
        services.AddSingleton<RelayFeed>();
        services.TryAddSingleton<OutboxCommitInterceptor>();
        services.AddSingleton<IStepWriter>(provider => new ContextWriter<TContext>(provider, context));
        return services.AddDbContext<TContext>(
            (provider, builder) =>
            {
                builder
                    .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>())
                    .AddInterceptors(provider.GetRequiredService<OutboxCommitInterceptor>());
                context?.Invoke(builder);
            }
        );
    }

    private static bool IncludesErrorDetail(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).IncludeErrorDetail;
        }
        catch (ArgumentException)
        {
            // No connection string at all: the data source says what is wrong with it.
            return false;
        }
    }

    private static NpgsqlDataSource CreateDataSource(string text, string? password, DatabaseOptions options)
    {
        var settings = new NpgsqlConnectionStringBuilder(text)
        {
            // The hot statements are few and long: planning them once per connection halves their cost.
            MaxAutoPrepare = 50,
            AutoPrepareMinUsages = 2,
            // A half-open connection is noticed within 25 s instead of after the kernel's two hours.
            KeepAlive = 10,
            TcpKeepAlive = true,
            // A command that has timed out breaks its connection. Asking the server first to cancel it, over one more
            // connection, waits without an end where the network has fallen silent.
            CancellationTimeout = -1,
            // Seven statements each time a connection is given back, one in five of all. Nothing here leaves a setting
            // or a lock behind in its session.
            NoResetOnClose = true,
            // Who needs one more waits for it. One stays, so that a process that looks now and then does not log in
            // each time; those beyond go soon after the load.
            MaxPoolSize = options.MaxConnections,
            MinPoolSize = 1,
            ConnectionIdleLifetime = 20,
            ConnectionPruningInterval = 5,
        };
        settings.ApplicationName ??= Build.SessionName;
        // Apart from the text, so that it may contain `;`, quotes and spaces as they are.
        if (!string.IsNullOrEmpty(password))
            settings.Password = password;
        // Asked of the text: Npgsql's own builder says yes for every keyword it knows, given or not, and the time-out
        // would stay at its 30 s.
        var given = new DbConnectionStringBuilder { ConnectionString = text };
        if (!given.ContainsKey("Command Timeout") && !given.ContainsKey("CommandTimeout"))
            settings.CommandTimeout = 15;
        if (settings.Host?.Contains(',', StringComparison.Ordinal) != true)
            return Builder(settings, options).Build();
        // A primary and its standby: whichever of them takes writes. A server that is known to be away is tried again
        // after Host Recheck Seconds (10), and whoever comes then waits for it: a shorter time costs more than it
        // gains where a dead server is slow to refuse.
        settings.Remove("Target Session Attributes");
        return Builder(settings, options).BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary);
    }

    private static NpgsqlDataSourceBuilder Builder(NpgsqlConnectionStringBuilder settings, DatabaseOptions options) =>
        new NpgsqlDataSourceBuilder(settings.ConnectionString)
            .UseDatabaseClock()
            .UseEncryption(options.Tls, options.CaFile)
            .UseTracingWithinSpans();
}
