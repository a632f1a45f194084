using System.Net.Sockets;
using System.Text;

namespace Orders.Dashboard.Tests.Live;

internal sealed class SilentConnectionTests : DashboardFixture
{
    // The server's own default is 130 s.
    [TestCase("")]
    [TestCase("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")]
    [TestCase("GET /health/live HTTP/1.1\r\nHost:")]
    [CancelAfter(110_000)]
    public async Task A_connection_that_says_nothing_is_closed(string first, CancellationToken deadline)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(Dashboard.Address.Host, Dashboard.Address.Port, deadline);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(first), deadline);
        var buffer = new byte[4096];
        while (await connection.GetStream().ReadAsync(buffer, deadline) > 0) { }
    }
}
