using System.Net;
using System.Net.Sockets;
using Orders.Infrastructure.Webhooks;

namespace Orders.Workers.Webhooks;

/// <summary>
/// Opens connections to allowed addresses only. The name is resolved here, each address is checked, and the connection
/// goes to a checked address: what the name resolves to a moment later changes nothing (DNS rebinding).
/// </summary>
/// <param name="policy">Which addresses are allowed.</param>
/// <param name="resolve">Resolves a name.</param>
public sealed class PublicConnections(
    AddressPolicy policy,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null
)
{
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>Opens one; for <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="RefusedAddressException">The name has no allowed address.</exception>
    /// <exception cref="SocketException">The name cannot be resolved, or nobody answers.</exception>
    public async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken
    )
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        Failpoint.Hit("webhook.before_resolve", Outside.Http);
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, cancellationToken);
        var allowed = Array.FindAll(found, policy.IsAllowed);
        if (allowed.Length == 0)
            throw new RefusedAddressException(host);

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Failpoint.Hit("webhook.before_connect", Outside.Http);
            await socket.ConnectAsync(allowed, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>
/// A name has no address that clients may make us call. The message does not say which addresses it has: the client
/// reads it, and they may be those of an inner network.
/// </summary>
/// <param name="host">The name.</param>
public sealed class RefusedAddressException(string host)
    : Exception(
        $"{host} has no public address. Private, loopback, link-local and metadata addresses are refused unless Webhooks__AllowedNetworks names their network."
    );
