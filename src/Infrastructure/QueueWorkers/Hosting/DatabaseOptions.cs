using Microsoft.Extensions.Configuration;

namespace QueueWorkers.Hosting;

/// <summary>How many connections a process uses, section <c>Database</c>.</summary>
public sealed record DatabaseOptions
{
    /// <summary>The bound of a worker: enough under load, because commits are shared.</summary>
    public const int Worker = 6;

    /// <summary>The bound of the API.</summary>
    public const int Api = 20;

    /// <summary>The bound of the dashboard.</summary>
    public const int Dashboard = 16;

    /// <summary>
    /// Most connections of the process. A caller that needs one more waits. Default: 6 for a worker, 20 for the API, 16
    /// for the dashboard.
    /// </summary>
    /// <value>connections</value>
    public int MaxConnections { get; init; } = Worker;

    /// <summary>
    /// Connections that the workers together leave to everything else: API, dashboard, deployment, backup, psql.
    /// Default: 50.
    /// </summary>
    /// <value>connections</value>
    public int Reserve { get; init; } = 50;

    /// <summary>
    /// Whether a pooler (PgBouncer) lies between host and PostgreSQL. The pooler bounds the connections, so those of
    /// the workers are not added up. Default: no.
    /// </summary>
    public bool Pooler { get; init; }

    /// <summary>Reads and checks the section.</summary>
    /// <param name="configuration">Where from.</param>
    /// <param name="connections">The most connections, unless the section says otherwise.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static DatabaseOptions Read(IConfiguration configuration, int connections = Worker)
    {
        var section = configuration.GetSection("Database");
        var options = section.Get<DatabaseOptions>() ?? new DatabaseOptions();
        if (section["MaxConnections"] is null)
            options = options with { MaxConnections = connections };
        new ConfigurationProblems()
            .Require(
                options.MaxConnections is >= 1 and <= 200,
                $"Database:MaxConnections must be 1–200, got {options.MaxConnections}; set Database__MaxConnections"
            )
            .Require(
                options.Reserve is >= 0 and <= 1000,
                $"Database:Reserve must be 0–1000, got {options.Reserve}; set Database__Reserve"
            )
            .ThrowIfAny();
        return options;
    }
}
