using System.Net;
using System.Net.Sockets;

namespace Orders.Bench.Load.Servers;

public static class FreePort
{
    /// <summary>
    /// A loopback port that nobody listens on, so that two runs and a running Orders do not get in each other's way.
    /// </summary>
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
