using Microsoft.Extensions.Configuration;
using QueueWorkers.Tls;

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

    /// <summary>
    /// Whether TLS is required, with a certificate of a trusted authority for the host of the connection string. Without
    /// it <c>SSL Mode</c> of the connection string says so. Default: no.
    /// </summary>
    public bool Tls { get; init; }

    /// <summary>
    /// PEM file with the authorities that PostgreSQL's certificate may be of, instead of those of the system. Read at
    /// each connection.
    /// </summary>
    public string? CaFile { get; init; }

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
        // Compose sets a variable that .env lacks to nothing.
        if (options.CaFile == "")
            options = options with { CaFile = null };
        var authorities = AuthorityFile.ProblemWith(options.CaFile);
        new ConfigurationProblems()
            .Require(
                options.MaxConnections is >= 1 and <= 200,
                $"Database:MaxConnections must be 1–200, got {options.MaxConnections}; set Database__MaxConnections"
            )
            .Require(
                options.Reserve is >= 0 and <= 1000,
                $"Database:Reserve must be 0–1000, got {options.Reserve}; set Database__Reserve"
            )
            .Require(
                authorities is null,
                $"Database:CaFile must be a PEM file with certificates, found in '{options.CaFile}': {authorities}; set Database__CaFile"
            )
            .Require(
                options.CaFile is null || options.Tls,
                "Database:Tls must be true with a CaFile, got false: nothing would be encrypted; set Database__Tls"
            )
            .ThrowIfAny();
        return options;
    }
}
