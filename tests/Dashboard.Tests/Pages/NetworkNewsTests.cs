using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DotNet.Testcontainers.Builders;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>Containers that start beside the tests do not stop their pages.</summary>
internal sealed class NetworkNewsTests
{
    private const string SynSent = "02";

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queue = [];

    [TearDown]
    public void Close()
    {
        _listener.Dispose();
        _queue.ForEach(socket => socket.Dispose());
    }

    [Test]
    public async Task A_change_of_the_machines_networks_stops_no_page_that_connects()
    {
        // Full: whoever connects now waits until somebody is let in.
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        var port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        while (Connecting(port) == 0)
            Queue(port);
        var before = Connecting(port);

        var page = await Browsing.NewPageAsync("UTC", "en-GB");
        var loads = page.GotoAsync($"http://127.0.0.1:{port}/");
        await Eventually.That(() => Connecting(port), Is.GreaterThan(before), "connections that the browser makes");
        await using (var network = new NetworkBuilder().Build())
            await network.CreateAsync();

        var served = ServeAsync();
        Assert.That(await (await loads)!.TextAsync(), Is.EqualTo("all of it"));
        await page.Context.CloseAsync();
        _listener.Dispose();
        await served;
    }

    private void Queue(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        _queue.Add(socket);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
        }
        catch (SocketException waits) when (waits.SocketErrorCode == SocketError.WouldBlock)
        {
            // It connects when there is room.
        }
    }

    // Connections to the port that wait for their answer. A line: number, local, remote, state; in hexadecimal.
    private static int Connecting(int port) =>
        File.ReadLines("/proc/net/tcp")
            .Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(row =>
                row[3] == SynSent
                && int.Parse(row[2].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port
            );

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptAsync());
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The test has seen its page.
        }
    }

    private static async Task AnswerAsync(Socket client)
    {
        using (client)
        {
            if (await client.ReceiveAsync(new byte[4096]) == 0)
                return;
            await client.SendAsync(
                Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nall of it")
            );
        }
    }
}
