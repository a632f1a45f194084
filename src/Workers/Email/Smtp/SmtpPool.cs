using System.Diagnostics;
using MailKit.Net.Smtp;
using Orders.Smtp;
using QueueWorkers.Background;

namespace Orders.Workers.Email.Smtp;

/// <summary>
/// Connections to the mail server that stay open between mails: greeting, TLS and login cost more than the mail itself.
/// The one used last is used first, so that those a quiet hour does not need grow idle and are closed.
/// A server that has connections enough says 421. Then the pool makes do with those it has, and tries one more after a
/// while. The server counts all processes: one without a connection waits a little for the others to close one.
/// </summary>
public sealed class SmtpPool : IAsyncDisposable
{
    /// <summary>The most connections at a time. Default of <see cref="EmailStep"/>: one per mail under way.</summary>
    public const int Size = 10;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private readonly SmtpConnector _connector;
    private readonly TimeSpan _idleLimit;
    private readonly TimeSpan _raiseAfter;
    private readonly TimeSpan _longestRefusal;
    private readonly SemaphoreSlim _slots = new(Size);
    private readonly List<SmtpConnection> _idle = new(Size);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _closingIdle;

    // Guarded by _idle.
    private int _open;
    private int _withheld;
    private long _limitedAt;

    /// <summary>Creates an empty pool.</summary>
    /// <param name="options">The server.</param>
    /// <param name="idleLimit">How long an unused connection stays open; 30 seconds when null, less than any server
    /// waits (RFC 5321 asks for 5 minutes).</param>
    /// <param name="raiseAfter">How long after a 421 one connection more is tried; 10 seconds when null.</param>
    /// <param name="longestRefusal">How long a mail waits for a first connection while the server says 421; 5 seconds
    /// when null. Longer, and nobody would see the outage.</param>
    public SmtpPool(
        SmtpOptions options,
        TimeSpan? idleLimit = null,
        TimeSpan? raiseAfter = null,
        TimeSpan? longestRefusal = null
    )
    {
        _connector = new SmtpConnector(options);
        _idleLimit = idleLimit ?? TimeSpan.FromSeconds(30);
        _raiseAfter = raiseAfter ?? TimeSpan.FromSeconds(10);
        _longestRefusal = longestRefusal ?? TimeSpan.FromSeconds(5);
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

    /// <summary>The most connections that the pool opens at present; fewer than its size after a 421.</summary>
    public int Limit
    {
        get
        {
            lock (_idle)
                return Size - _withheld;
        }
    }

    /// <summary>Takes a connection, an open one if there is one. Give it back.</summary>
    /// <exception cref="SmtpCommandException">421: the server accepts no connection of this process.</exception>
    internal async Task<SmtpConnection> TakeAsync(CancellationToken cancellationToken)
    {
        Stopwatch? refused = null;
        var pause = FirstPause;
        while (true)
        {
            await _slots.WaitAsync(cancellationToken);
            if (TakeIdle() is { } idle)
                return idle;
            try
            {
                var opened = await SmtpConnection.OpenAsync(_connector, cancellationToken);
                lock (_idle)
                    _open++;
                return opened;
            }
            catch (SmtpCommandException busy) when (busy.StatusCode == SmtpStatusCode.ServiceNotAvailable)
            {
                if (TryLowerLimit())
                    continue;
                _slots.Release();
                refused ??= Stopwatch.StartNew();
                if (refused.Elapsed + pause > _longestRefusal || !await PauseAsync(pause, cancellationToken))
                    throw;
                pause *= 2;
            }
            catch
            {
                _slots.Release();
                throw;
            }
        }
    }

    /// <summary>Gives a connection back: a broken or worn one is closed.</summary>
    internal async Task GiveBackAsync(SmtpConnection connection, bool isBroken)
    {
        try
        {
            if (isBroken || _stopping.IsCancellationRequested)
            {
                Forget(1);
                connection.Dispose();
            }
            else if (!connection.IsUsable)
            {
                Forget(1);
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
        _connector.Dispose();
    }

    private async Task CloseIdleAsync()
    {
        using var timer = new PeriodicTimer(_idleLimit / 6 < _raiseAfter ? _idleLimit / 6 : _raiseAfter);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                var longAgo = Environment.TickCount64 - (long)_idleLimit.TotalMilliseconds;
                await CloseAsync(TakeOut(c => c.IdleSince <= longAgo));
                RaiseLimit();
            }
        }
        catch (OperationCanceledException)
        {
            // The pool is being disposed of.
        }
    }

    // Whether the time limit of the mail has left time for another try.
    private static async Task<bool> PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private SmtpConnection? TakeIdle()
    {
        lock (_idle)
        {
            if (_idle is not [.., var last])
                return null;
            _idle.RemoveAt(_idle.Count - 1);
            return last;
        }
    }

    private void Forget(int closed)
    {
        lock (_idle)
            _open -= closed;
    }

    // The caller's slot is kept back: with a connection open there is one slot at least that can still use it.
    private bool TryLowerLimit()
    {
        lock (_idle)
        {
            _limitedAt = Environment.TickCount64;
            if (_open == 0 || _withheld == Size - 1)
                return false;
            _withheld++;
            return true;
        }
    }

    private void RaiseLimit()
    {
        lock (_idle)
        {
            if (_withheld == 0 || Environment.TickCount64 - _limitedAt < _raiseAfter.TotalMilliseconds)
                return;
            _limitedAt = Environment.TickCount64;
            _withheld--;
        }

        _slots.Release();
    }

    private List<SmtpConnection> TakeOut(Predicate<SmtpConnection> which)
    {
        lock (_idle)
        {
            var taken = _idle.FindAll(which);
            _idle.RemoveAll(taken.Contains);
            _open -= taken.Count;
            return taken;
        }
    }

    private static async Task CloseAsync(List<SmtpConnection> connections)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Task.WhenAll(connections.Select(c => c.CloseAsync(patience.Token)));
    }
}
