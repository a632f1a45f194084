using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Orders.Testing.Servers;

/// <summary>
/// A network between a host and a server that can be cut (nothing comes through and nobody can connect) or fall silent
/// (nothing comes through and nobody is told), until it is fixed.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> _open = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string _host;
    private readonly int _port;
    private readonly Task _accepting;
    private volatile bool _cut;
    private int _refused;
    private readonly ConcurrentDictionary<Line, byte> _lines = new();
    private volatile TaskCompletionSource _flow = Flowing();

    /// <summary>Begins to forward.</summary>
    public TcpProxy(string host, int port)
    {
        (_host, _port) = (host, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections were refused while it was cut.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Breaks every connection and refuses new ones.</summary>
    public void Cut()
    {
        _cut = true;
        foreach (var client in _open.Keys)
            client.Close();
    }

    /// <summary>
    /// Half-open: connections stay, new ones are made, and not one byte comes through. What is sent meanwhile arrives
    /// when it is fixed.
    /// </summary>
    public void Silence()
    {
        var silent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _flow = silent;
        foreach (var line in _lines.Keys)
            line.Flow = silent;
    }

    /// <summary>How many connections there are now.</summary>
    public int Connections => _open.Count / 2;

    /// <summary>Lets new connections through again; those that fell silent stay so, and nobody is ever told.</summary>
    public void RestoreForNewConnections() => _flow = Flowing();

    /// <summary>Lets connections and bytes through again.</summary>
    public void Restore()
    {
        _cut = false;
        _flow.TrySetResult();
        foreach (var line in _lines.Keys)
            line.Flow.TrySetResult();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TcpClient near;
            try
            {
                near = await _listener.AcceptTcpClientAsync(_stop.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            if (_cut)
            {
                Interlocked.Increment(ref _refused);
                near.Close();
            }
            else
            {
                _ = ForwardAsync(near);
            }
        }
    }

    private async Task ForwardAsync(TcpClient near)
    {
        using var far = new TcpClient();
        var line = new Line();
        _open[near] = 0;
        _open[far] = 0;
        _lines[line] = 0;
        // After it can be found: a silence that falls in between is the one that is read here.
        line.Flow = _flow;
        try
        {
            await far.ConnectAsync(_host, _port, _stop.Token);
            // Cut between accepting and here.
            if (_cut)
                return;
            await Task.WhenAny(
                PumpAsync(line, near.GetStream(), far.GetStream()),
                PumpAsync(line, far.GetStream(), near.GetStream())
            );
        }
        catch (Exception end)
            when (end
                    is IOException
                        or SocketException
                        or ObjectDisposedException
                        or OperationCanceledException
                        or InvalidOperationException
            )
        {
            // Either side closed: so does the other, below.
        }
        finally
        {
            near.Close();
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
            _lines.TryRemove(line, out _);
        }
    }

    private async Task PumpAsync(Line line, NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var length)
        {
            await line.Flow.Task.WaitAsync(_stop.Token);
            await to.WriteAsync(buffer.AsMemory(0, length), _stop.Token);
        }
    }

    private static TaskCompletionSource Flowing()
    {
        var flow = new TaskCompletionSource();
        flow.SetResult();
        return flow;
    }

    /// <summary>One connection; silent ones stay so when only new connections are fixed.</summary>
    private sealed class Line
    {
        public volatile TaskCompletionSource Flow = Flowing();
    }
}
