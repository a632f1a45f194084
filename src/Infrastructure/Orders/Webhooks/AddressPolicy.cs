using System.Net;
using System.Net.Sockets;

namespace Orders.Infrastructure.Webhooks;

/// <summary>
/// Which addresses a client may make us call: public ones, and the networks that the operator allows. Everything else
/// would let a client reach what only we can reach: our own network, this machine, the cloud's metadata.
/// </summary>
/// <param name="allowed">Networks that are allowed although they are not public.</param>
public sealed class AddressPolicy(params IEnumerable<IPNetwork> allowed)
{
    // Not globally reachable by the registries of IANA, and the address at which one cloud serves its machines.
    private static readonly IPNetwork[] RefusedV4 =
    [
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("168.63.129.16/32"),
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"),
        IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"),
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"),
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/3"),
    ];

    // Of IPv6 only what is handed out to the internet, without what carries an IPv4 address inside (Teredo, 6to4).
    private static readonly IPNetwork PublicV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] RefusedV6 =
    [
        IPNetwork.Parse("2001::/23"),
        IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("2002::/16"),
        IPNetwork.Parse("3fff::/20"),
    ];

    private readonly IPNetwork[] _allowed = [.. allowed];

    /// <summary>Whether an address may be called.</summary>
    public bool IsAllowed(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return _allowed.Any(n => n.Contains(address))
            || (
                address.AddressFamily == AddressFamily.InterNetwork
                    ? !RefusedV4.Any(n => n.Contains(address))
                    : PublicV6.Contains(address) && !RefusedV6.Any(n => n.Contains(address))
            );
    }
}
