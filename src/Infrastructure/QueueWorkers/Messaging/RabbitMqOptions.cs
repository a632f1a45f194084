using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace QueueWorkers.Messaging;

/// <summary>Where the broker is, section <c>RabbitMq</c>.</summary>
public sealed record RabbitMqOptions
{
    // One sentence for all who find it, so that the operator reads it once.
    internal const string NoManagementUri =
        "RabbitMq:ManagementUri must be the management API's address, such as http://rabbitmq:15672, got nothing; set RabbitMq__ManagementUri";

    /// <summary>
    /// Host name of the broker; for a cluster the names of its nodes, separated by commas. A connection that is lost is
    /// opened to another node.
    /// </summary>
    public string Host { get; init; } = "";

    /// <summary>The nodes, one or several.</summary>
    public IReadOnlyList<string> Hosts =>
        Host.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>AMQP port. Default: 5672, or 5671 with TLS.</summary>
    /// <value>TCP port</value>
    public int? Port { get; init; }

    /// <summary>Virtual host. Default: <c>/</c>.</summary>
    public string VirtualHost { get; init; } = "/";

    /// <summary>User name.</summary>
    public string Username { get; init; } = "";

    /// <summary>Password.</summary>
    public string Password { get; init; } = "";

    /// <summary>
    /// Whether TLS is required, with a certificate of a trusted authority for the name in <c>Host</c>. Default: no.
    /// </summary>
    public bool Tls { get; init; }

    /// <summary>
    /// PEM file with the authorities that RabbitMQ's certificate may be of, instead of those of the system. Read at
    /// each connection.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>Address of the management API. The dashboard and the deployment require it.</summary>
    public Uri? ManagementUri { get; init; }

    /// <summary>The port in effect.</summary>
    public int EffectivePort => Port ?? (Tls ? 5671 : 5672);

    /// <summary>Which brokers are trusted, by AMQP and by the management API.</summary>
    internal ServerTrust Trust =>
        new("RabbitMQ", CaFile)
        {
            HostSetting = "RabbitMq__Host",
            CaSetting = "RabbitMq__CaFile",
            WithoutTls = "Set RabbitMq__Port to the port with TLS, which is 5671 unless RabbitMQ says otherwise.",
        };

    /// <summary>Reads and checks the section.</summary>
    /// <param name="configuration">Where from.</param>
    /// <param name="management">Whether the process needs <see cref="ManagementUri"/>.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static RabbitMqOptions Read(IConfiguration configuration, bool management = false)
    {
        var options = configuration.GetSection("RabbitMq").Get<RabbitMqOptions>() ?? new RabbitMqOptions();
        // Compose sets a variable that .env lacks to nothing.
        if (options.CaFile == "")
            options = options with { CaFile = null };
        var authorities = AuthorityFile.ProblemWith(options.CaFile);
        new ConfigurationProblems()
            .Require(
                options.Hosts.Count > 0,
                $"RabbitMq:Host must name the broker, or the nodes of its cluster separated by commas, got {(options.Host == "" ? "nothing" : $"'{options.Host}'")}; set RabbitMq__Host"
            )
            .Require(
                options.Port is null or (> 0 and <= 65535),
                $"RabbitMq:Port must be 1–65535, got {options.Port}; set RabbitMq__Port"
            )
            .Require(options.Username != "", "RabbitMq:Username must be set, got nothing; set RabbitMq__Username")
            .Require(options.Password != "", "RabbitMq:Password must be set, got nothing; set RabbitMq__Password")
            .Require(!management || options.ManagementUri is not null, NoManagementUri)
            .Require(
                authorities is null,
                $"RabbitMq:CaFile must be a PEM file with certificates, found in '{options.CaFile}': {authorities}; set RabbitMq__CaFile"
            )
            .Require(
                options.CaFile is null || options.Tls,
                "RabbitMq:Tls must be true with a CaFile, got false: nothing would be encrypted; set RabbitMq__Tls"
            )
            .Require(
                !management || !options.Tls || options.ManagementUri is null or { Scheme: "https" },
                $"RabbitMq:ManagementUri must begin with https:// with RabbitMq:Tls, got '{options.ManagementUri}': the password would be sent in plain text; set RabbitMq__ManagementUri"
            )
            .ThrowIfAny();
        return options;
    }
}
