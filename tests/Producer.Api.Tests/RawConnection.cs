using System.Net.Sockets;
using System.Text;

namespace Orders.Producer.Api.Tests;

/// <summary>A connection for what no well-behaved client would send.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client = new();
    private NetworkStream _stream = null!;

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._client.ConnectAsync(address.Host, address.Port);
        connection._stream = connection._client.GetStream();
        return connection;
    }

    public async Task WriteAsync(string text) => await _stream.WriteAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Sends a piece again and again until the other side has had enough.</summary>
    /// <returns>How many bytes it took.</returns>
    public async Task<long> FloodAsync(string piece, long upTo)
    {
        var bytes = Encoding.ASCII.GetBytes(piece);
        var sent = 0L;
        try
        {
            while (sent < upTo && !_stream.DataAvailable)
            {
                await _stream.WriteAsync(bytes);
                sent += bytes.Length;
            }
        }
        catch (IOException)
        {
            // Cut off, which is what the test is about.
        }

        return sent;
    }

    /// <summary>Reads until the other side closes.</summary>
    public async Task<string> ReadAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int length;
            while ((length = await _stream.ReadAsync(buffer)) > 0)
                text.Append(Encoding.UTF8.GetString(buffer, 0, length));
        }
        catch (IOException)
        {
            // Reset instead of closed: what came before counts.
        }

        return text.ToString();
    }

    public void Dispose() => _client.Dispose();
}
