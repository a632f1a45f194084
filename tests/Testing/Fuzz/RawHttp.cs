using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Orders.Testing.Fuzz;

/// <summary>The answer to a raw request.</summary>
/// <param name="Status">The status; 0 when the server closed the connection without an answer.</param>
/// <param name="Text">Head and body, each byte one character; the body of an endless stream is left out.</param>
public sealed record RawAnswer(int Status, string Text);

/// <summary>
/// A client that sends bytes as they are, which no HTTP library would. It keeps its connection for the next request.
/// </summary>
public sealed class RawHttp(Uri host) : IDisposable
{
    private const string EndOfHead = "\r\n\r\n";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly StringBuilder _read = new();
    private TcpClient? _client;

    // Kept: a client whose connection was reset gives its stream to nobody any more, while the stream says what happened.
    private NetworkStream? _stream;

    /// <summary>Sends a request and reads its answer.</summary>
    /// <exception cref="TimeoutException">There is no complete answer within a minute.</exception>
    public async Task<RawAnswer> SendAsync(FuzzRequest request)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            // The server may have closed a connection that was kept: then once more, on a fresh one.
            return (_client is null ? null : await TryAsync(request, patience.Token))
                ?? await TryAsync(request, patience.Token)
                ?? new RawAnswer(0, "");
        }
        catch (OperationCanceledException)
        {
            Close();
            throw new TimeoutException($"No answer within {Patience} to {request}");
        }
    }

    /// <inheritdoc />
    public void Dispose() => Close();

    private async Task<RawAnswer?> TryAsync(FuzzRequest request, CancellationToken cancellationToken)
    {
        _read.Clear();
        try
        {
            if (_client is null)
            {
                _client = new TcpClient { NoDelay = true };
                await _client.ConnectAsync(host.Host, host.Port, cancellationToken);
                _stream = _client.GetStream();
            }

            await WriteAsync(_stream!, request, cancellationToken);
            return await ReadAsync(request.Method == "HEAD", cancellationToken);
        }
        catch (IOException)
        {
            // Reset by the server, perhaps behind its answer.
            Close();
            var text = _read.ToString();
            return text.Length > 12 ? new RawAnswer(StatusOf(text), text) : null;
        }
    }

    // A server that refuses a request early closes while the body is still on its way; its answer may be there.
    private async Task WriteAsync(NetworkStream stream, FuzzRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(request.Bytes(host), cancellationToken);
        }
        catch (IOException)
        {
            _client!.Client.Shutdown(SocketShutdown.Send);
        }
    }

    private async Task<RawAnswer?> ReadAsync(bool withoutBody, CancellationToken cancellationToken)
    {
        int end;
        while ((end = _read.ToString().IndexOf(EndOfHead, StringComparison.Ordinal)) < 0)
        {
            if (!await MoreAsync(cancellationToken))
            {
                Close();
                return null;
            }
        }

        var head = _read.ToString(0, end + 2);
        var (status, start) = (StatusOf(head), end + EndOfHead.Length);
        var isStream = head.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);
        if (!withoutBody && !isStream && status is not (204 or 304))
            await ReadBodyAsync(head, start, cancellationToken);
        if (isStream || head.Contains("\r\nConnection: close", StringComparison.OrdinalIgnoreCase))
            Close();
        return new RawAnswer(status, _read.ToString());
    }

    private async Task ReadBodyAsync(string head, int start, CancellationToken cancellationToken)
    {
        if (Header(head, "Content-Length") is { } length)
        {
            var whole = start + int.Parse(length, CultureInfo.InvariantCulture);
            while (_read.Length < whole && await MoreAsync(cancellationToken)) { }
        }
        else if (Header(head, "Transfer-Encoding") == "chunked")
        {
            const string LastChunk = "0\r\n\r\n";
            while (
                (
                    _read.Length < start + LastChunk.Length
                    || _read.ToString(_read.Length - LastChunk.Length, LastChunk.Length) != LastChunk
                ) && await MoreAsync(cancellationToken)
            ) { }
        }
        else
        {
            while (await MoreAsync(cancellationToken)) { }

            Close();
        }
    }

    private async Task<bool> MoreAsync(CancellationToken cancellationToken)
    {
        var length = await _stream!.ReadAsync(_buffer, cancellationToken);
        _read.Append(Encoding.Latin1.GetString(_buffer, 0, length));
        return length > 0;
    }

    private static string? Header(string head, string name)
    {
        var line = head.Split("\r\n").FirstOrDefault(l => l.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase));
        return line?[(name.Length + 1)..].Trim();
    }

    private static int StatusOf(string head) => int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);

    private void Close()
    {
        _client?.Dispose();
        _client = null;
    }
}
