using System.Net.Sockets;
using System.Text;

namespace Orders.OutsideWorld.Tests;

/// <summary>An SMTP client that says exactly what it is told, for what MailKit would never do.</summary>
internal sealed class RawSmtp : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TcpClient client;
    private readonly StreamReader reader;

    private RawSmtp(TcpClient client)
    {
        this.client = client;
        reader = new StreamReader(client.GetStream(), Encoding.ASCII);
    }

    /// <summary>The connection itself; no reply may be read from here afterwards.</summary>
    public Stream Stream => client.GetStream();

    public static async Task<RawSmtp> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        return new RawSmtp(client);
    }

    /// <summary>
    /// What a server says to somebody who connects; empty when it closes instead. A reset may be there before the
    /// connecting has returned.
    /// </summary>
    public static async Task<string> BannerAsync(int port)
    {
        try
        {
            using var smtp = await ConnectAsync(port);
            return await smtp.ReplyAsync();
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "";
        }
    }

    /// <summary>Connects and is past EHLO.</summary>
    public static async Task<RawSmtp> GreetedAsync(int port)
    {
        var smtp = await ConnectAsync(port);
        await smtp.ReplyAsync();
        await smtp.SayAsync("EHLO test");
        return smtp;
    }

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends one line and returns the last line of its reply; empty when the connection has ended.</summary>
    public async Task<string> SayAsync(string line)
    {
        await SendAsync(line + "\r\n");
        return await ReplyAsync();
    }

    /// <summary>Reads one reply and returns its last line; empty when the connection has ended.</summary>
    public async Task<string> ReplyAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            string? line;
            try
            {
                line = await reader.ReadLineAsync(patience.Token);
            }
            catch (IOException)
            {
                // A reset is an end of the connection too.
                return "";
            }

            if (line is null)
                return "";
            if (line.Length < 4 || line[3] != '-')
                return line;
        }
    }

    public void Dispose()
    {
        reader.Dispose();
        client.Dispose();
    }
}
