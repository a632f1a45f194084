using System.Globalization;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Workers.Warehouse;

/// <summary>Configuration of the warehouse step, section <c>Warehouse</c>.</summary>
public sealed class WarehouseOptions
{
    private const string SecretPrefix = "whsec_";

    /// <summary>Address that pick lists are posted to.</summary>
    public required Uri Url { get; init; }

    /// <summary>
    /// Key that signs the pick lists: <c>whsec_</c> and the base64 of 24–64 bytes (Standard Webhooks).
    /// </summary>
    public required byte[] Key { get; init; }

    /// <summary>
    /// Key of before, while it is being changed: calls carry a signature of each, and the warehouse accepts either.
    /// </summary>
    public byte[]? PreviousKey { get; init; }

    /// <summary>Time limit of one call. Default: 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait that the warehouse's <c>Retry-After</c> can ask for. Default: 10 minutes.</summary>
    public TimeSpan RetryAfterLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// PEM file with the authorities that the warehouse's certificate may be of, besides those of the system. Read at each
    /// connection.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>Which warehouses are trusted, if the address begins with https.</summary>
    internal ServerTrust Trust =>
        new("The warehouse", CaFile)
        {
            HostSetting = "Warehouse__Url",
            CaSetting = "Warehouse__CaFile",
            BesidesSystem = true,
            WithoutTls = "Set Warehouse__Url to the port with TLS.",
        };

    /// <summary>Reads and checks the configuration.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static WarehouseOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Warehouse");
        var key = ParseSecret(section["Secret"]);
        var previous = ParseSecret(section["PreviousSecret"]);
        var knowsUrl = Uri.TryCreate(section["Url"], UriKind.Absolute, out var url) && url.Scheme is "http" or "https";
        var knowsTimeout =
            TimeSpan.TryParse(section["Timeout"] ?? "00:00:10", out var timeout)
            && timeout >= TimeSpan.FromSeconds(1)
            && timeout <= TimeSpan.FromSeconds(25);
        var knowsLimit =
            TimeSpan.TryParse(section["RetryAfterLimit"] ?? "00:10:00", CultureInfo.InvariantCulture, out var limit)
            && limit >= TimeSpan.FromSeconds(1)
            && limit <= TimeSpan.FromHours(12);
        var caFile = section["CaFile"] is { Length: > 0 } file ? file : null;
        var authorities = AuthorityFile.ProblemWith(caFile);
        new ConfigurationProblems()
            .Require(
                knowsUrl,
                $"Warehouse:Url must be an absolute http or https address, got '{section["Url"]}'; set Warehouse__Url"
            )
            // The value itself is a secret and stays out of the message.
            .Require(
                key is not null,
                $"Warehouse:Secret must be 'whsec_' and the base64 of 24–64 bytes, got {(string.IsNullOrEmpty(section["Secret"]) ? "nothing" : "something else")}; set Warehouse__Secret"
            )
            .Require(
                previous is not null || string.IsNullOrEmpty(section["PreviousSecret"]),
                "Warehouse:PreviousSecret must be 'whsec_' and the base64 of 24–64 bytes, got something else; set Warehouse__PreviousSecret"
            )
            .Require(
                knowsTimeout,
                $"Warehouse:Timeout must be 00:00:01–00:00:25, got '{section["Timeout"]}'; set Warehouse__Timeout"
            )
            .Require(
                knowsLimit,
                $"Warehouse:RetryAfterLimit must be 00:00:01–12:00:00, got '{section["RetryAfterLimit"]}'; set Warehouse__RetryAfterLimit"
            )
            .Require(
                authorities is null,
                $"Warehouse:CaFile must be a PEM file with certificates, found in '{caFile}': {authorities}; set Warehouse__CaFile"
            )
            .ThrowIfAny();
        return new WarehouseOptions
        {
            Url = url!,
            Key = key!,
            PreviousKey = previous,
            Timeout = timeout,
            RetryAfterLimit = limit,
            CaFile = caFile,
        };
    }

    /// <summary>
    /// The bytes of a secret in the form of the Standard Webhooks specification; null when it is none.
    /// </summary>
    public static byte[]? ParseSecret(string? secret)
    {
        if (secret is null || !secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
            return null;
        var buffer = new byte[secret.Length];
        return
            Convert.TryFromBase64String(secret[SecretPrefix.Length..], buffer, out var length)
            && length is >= 24 and <= 64
            ? buffer[..length]
            : null;
    }
}
