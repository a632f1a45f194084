using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orders.Testing.Servers;

/// <summary>
/// Ports for servers that have to be told theirs before they listen. They lie below those that the kernel gives to
/// outgoing connections and to whoever asks for any port: nobody gets one of them in the moment before the server
/// listens.
/// </summary>
public static class FreePort
{
    private const int First = 10_000;
    private const string Ephemeral = "/proc/sys/net/ipv4/ip_local_port_range";

    private static readonly HashSet<int> Taken = [];

    /// <summary>A port that nobody listens at, and that this process has not given away before.</summary>
    public static int Take()
    {
        lock (Taken)
        {
            while (true)
            {
                var port = Random.Shared.Next(First, End);
                if (Taken.Add(port) && IsFree(port))
                    return port;
            }
        }
    }

    private static int End =>
        int.Parse(File.ReadAllText(Ephemeral).Split('\t', ' ')[0], CultureInfo.InvariantCulture) is var first
        && first > First
            ? first
            : throw new InvalidOperationException(
                $"Expected the ports of outgoing connections above {First}, found {first} in {Ephemeral}."
            );

    // At every address: a server may be told one of them, or all.
    private static bool IsFree(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
