using QueueWorkers.Background;

namespace Orders.Workers.Email.Smtp;

/// <summary>
/// Connections to the mail server that stay open between mails: greeting, TLS and login cost more than the mail itself.
/// The one used last is used first, so that those a quiet hour does not need grow idle and are closed.
/// </summary>
public sealed class SmtpPool : IAsyncDisposable
{
    /// <summary>The most connections at a time. Default of <see cref="EmailStep"/>: one per mail under way.</summary>
    public const int Size = 10;

    private readonly SmtpOptions _options;
    private readonly TimeSpan _idleLimit;
    private readonly SemaphoreSlim _slots = new(Size);
    private readonly List<SmtpConnection> _idle = new(Size);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _closingIdle;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="options">The server.</param>
    /// <param name="idleLimit">How long an unused connection stays open; 30 seconds when null, less than any server
    /// waits (RFC 5321 asks for 5 minutes).</param>
    public SmtpPool(SmtpOptions options, TimeSpan? idleLimit = null)
    {
        _options = options;
        _idleLimit = idleLimit ?? TimeSpan.FromSeconds(30);
        _closingIdle = BackgroundLoop.Run("SMTP pool", CloseIdleAsync);
    }

    /// <summary>Open connections that carry no mail now.</summary>
    public int IdleCount
    {
        get
        {
            lock (_idle)
                return _idle.Count;
        }
    }

    /// <summary>Takes a connection, an open one if there is one. Give it back.</summary>
    internal async Task<SmtpConnection> TakeAsync(CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        lock (_idle)
        {
            if (_idle is [.., var last])
            {
                _idle.RemoveAt(_idle.Count - 1);
                return last;
            }
        }

        try
        {
            return await SmtpConnection.OpenAsync(_options, cancellationToken);
        }
        catch
        {
            _slots.Release();
            throw;
        }
    }

    /// <summary>Gives a connection back: a broken or worn one is closed.</summary>
    internal async Task GiveBackAsync(SmtpConnection connection, bool isBroken)
    {
        try
        {
            if (isBroken || _stopping.IsCancellationRequested)
            {
                connection.Dispose();
            }
            else if (!connection.IsUsable)
            {
                using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await connection.CloseAsync(patience.Token);
            }
            else
            {
                connection.IdleSince = Environment.TickCount64;
                lock (_idle)
                    _idle.Add(connection);
            }
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closingIdle;
        await CloseAsync(TakeOut(_ => true));
        _stopping.Dispose();
        _slots.Dispose();
    }

    private async Task CloseIdleAsync()
    {
        using var timer = new PeriodicTimer(_idleLimit / 6);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                var longAgo = Environment.TickCount64 - (long)_idleLimit.TotalMilliseconds;
                await CloseAsync(TakeOut(c => c.IdleSince <= longAgo));
            }
        }
        catch (OperationCanceledException)
        {
            // The pool is being disposed of.
        }
    }

    private List<SmtpConnection> TakeOut(Predicate<SmtpConnection> which)
    {
        lock (_idle)
        {
            var taken = _idle.FindAll(which);
            _idle.RemoveAll(taken.Contains);
            return taken;
        }
    }

    private static async Task CloseAsync(List<SmtpConnection> connections)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Task.WhenAll(connections.Select(c => c.CloseAsync(patience.Token)));
    }
}
