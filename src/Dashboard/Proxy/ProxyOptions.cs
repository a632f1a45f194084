using System.Net;
using QueueWorkers.Hosting;

namespace Orders.Dashboard.Proxy;

/// <summary>Reverse proxies in front of the dashboard, section <c>Proxy</c>.</summary>
internal sealed record ProxyOptions
{
    /// <summary>
    /// Addresses and networks of the reverse proxies, separated by commas, such as <c>10.0.0.7, 172.16.0.0/12</c>. Only
    /// from them the headers <c>X-Forwarded-Proto</c>, <c>X-Forwarded-Prefix</c> and <c>X-Forwarded-For</c> count.
    /// </summary>
    public string From { get; init; } = "";

    /// <summary>How many of these proxies a request passes, one behind the other. Default: 1.</summary>
    /// <value>proxies</value>
    public int Hops { get; init; } = 1;

    /// <summary>What <see cref="From"/> says.</summary>
    public IReadOnlyList<IPNetwork> Networks => [.. Parts(From).Select(NetworkOf).OfType<IPNetwork>()];

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static ProxyOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Proxy").Get<ProxyOptions>() ?? new ProxyOptions();
        var problems = new ConfigurationProblems().Require(
            options.Hops is >= 1 and <= 10,
            $"Proxy:Hops must be 1–10, got {options.Hops}; set Proxy__Hops"
        );
        foreach (var part in Parts(options.From).Where(part => NetworkOf(part) is null))
            problems.Require(
                false,
                $"Proxy:From must be addresses and networks separated by commas, got '{part}'; set Proxy__From"
            );
        problems.ThrowIfAny();
        return options;
    }

    private static string[] Parts(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IPNetwork? NetworkOf(string text) =>
        IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : IPNetwork.TryParse(text, out var network) ? network
        : null;
}
