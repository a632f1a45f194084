using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Infrastructure.Webhooks;

/// <summary>What web hooks of clients may be, section <c>Webhooks</c>.</summary>
public sealed record WebhookOptions
{
    /// <summary>
    /// Networks that web hooks may be in although they are private, such as <c>10.20.0.0/16,fd00:1::/64</c>. Public
    /// addresses are always allowed. Default: none.
    /// </summary>
    public string AllowedNetworks { get; init; } = "";

    /// <summary>Whether a web hook may be registered with <c>http</c>. Default: no, <c>https</c> only.</summary>
    public bool AllowHttp { get; init; }

    /// <summary>Time limit of one delivery. Default: 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// PEM file with the authorities of web hooks in private networks, which are trusted besides those of the system.
    /// Read at each connection.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>Which web hooks are trusted, if the address begins with https.</summary>
    public ServerTrust Trust =>
        new("The web hook", CaFile)
        {
            HostSetting = "the web hook's address",
            CaSetting = "Webhooks__CaFile",
            BesidesSystem = true,
            WithoutTls = "The client registers an address that speaks TLS.",
        };

    /// <summary>Which addresses are allowed.</summary>
    public AddressPolicy Addresses => new(Networks(AllowedNetworks).OfType<IPNetwork>());

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static WebhookOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Webhooks");
        var networks = section["AllowedNetworks"] ?? "";
        var http = section["AllowHttp"] is { Length: > 0 } text ? text : "false";
        var timeout = TimeSpan.FromSeconds(10);
        var caFile = section["CaFile"] is { Length: > 0 } file ? file : null;
        var authorities = AuthorityFile.ProblemWith(caFile);
        new ConfigurationProblems()
            .Require(
                Networks(networks).All(n => n is not null),
                $"Webhooks:AllowedNetworks must be networks such as 10.20.0.0/16, separated by commas, got '{networks}'; set Webhooks__AllowedNetworks"
            )
            .Require(
                bool.TryParse(http, out var allowHttp),
                $"Webhooks:AllowHttp must be true or false, got '{http}'; set Webhooks__AllowHttp"
            )
            .Require(
                section["Timeout"] is not { Length: > 0 } limit
                    || (
                        TimeSpan.TryParse(limit, CultureInfo.InvariantCulture, out timeout)
                        && timeout >= TimeSpan.FromSeconds(1)
                        && timeout <= TimeSpan.FromSeconds(15)
                    ),
                $"Webhooks:Timeout must be 00:00:01–00:00:15, got '{section["Timeout"]}'; set Webhooks__Timeout"
            )
            .Require(
                authorities is null,
                $"Webhooks:CaFile must be a PEM file with certificates, found in '{caFile}': {authorities}; set Webhooks__CaFile"
            )
            .ThrowIfAny();
        return new WebhookOptions
        {
            AllowedNetworks = networks,
            AllowHttp = allowHttp,
            Timeout = timeout,
            CaFile = caFile,
        };
    }

    private static IEnumerable<IPNetwork?> Networks(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(n => IPNetwork.TryParse(n, out var network) ? network : (IPNetwork?)null);
}
