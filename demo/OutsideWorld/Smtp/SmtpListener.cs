using System.Net;
using System.Net.Sockets;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// The listening socket, which can be shut and opened again on the same port. Shut, the port stays bound without
/// listening:
/// clients are refused by the kernel, and nobody else can take the port meanwhile. The caller serializes calls.
/// </summary>
internal sealed class SmtpListener : IDisposable
{
    private const int Backlog = 512;
    private readonly IPEndPoint endpoint;
    private Socket socket;
    private CancellationTokenSource? open;

    /// <summary>Takes the port, still shut.</summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public SmtpListener(IPAddress address, int port)
    {
        socket = Bind(new IPEndPoint(address, port));
        endpoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>The port, the real one when 0 was asked for.</summary>
    public int Port => endpoint.Port;

    /// <summary>
    /// Listens, and hands the socket and a token that ends with <see cref="Shut"/> to whoever accepts from it. Does
    /// nothing when open.
    /// </summary>
    public void Open(Action<Socket, CancellationToken> accept)
    {
        if (open is not null)
            return;
        socket.Listen(Backlog);
        open = new CancellationTokenSource();
        accept(socket, open.Token);
    }

    /// <summary>
    /// Stops listening: waiting connections are reset, sessions are told by their token. Does nothing when shut.
    /// </summary>
    public bool Shut()
    {
        if (open is null)
            return false;
        open.Cancel();
        open.Dispose();
        open = null;
        socket.Dispose();
        socket = Bind(endpoint);
        return true;
    }

    public void Dispose()
    {
        open?.Cancel();
        open?.Dispose();
        open = null;
        socket.Dispose();
    }

    private static Socket Bind(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            return socket;
        }
        catch (SocketException problem)
        {
            socket.Dispose();
            throw new IOException(
                $"OutsideWorld:SmtpPort must be a free port of {endpoint.Address}, got {endpoint.Port}: {problem.Message}. "
                    + "Set OutsideWorld__SmtpPort or OutsideWorld__SmtpHost.",
                problem
            );
        }
    }
}
