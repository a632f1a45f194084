namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// Lets a suspect run while nothing else does in this process, so that if the process dies there is no doubt about the
/// culprit. Everybody else passes at the price of two interlocked additions; while a suspect waits or runs they wait
/// here.
/// </summary>
internal sealed class IsolationGate : IDisposable
{
    private readonly SemaphoreSlim _suspects = new(1, 1);
    private volatile TaskCompletionSource? _closed;
    private volatile TaskCompletionSource? _empty;
    private int _inside;

    /// <summary>Passes; each pass is followed by one <see cref="Leave"/>.</summary>
    public ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        // The addition is a full fence: either a suspect that closes the gate sees us inside, or we see the gate
        // closed.
        Interlocked.Increment(ref _inside);
        return _closed is null ? ValueTask.CompletedTask : WaitAsync(cancellationToken);
    }

    /// <summary>Leaves.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _inside) == 0)
            _empty?.TrySetResult();
    }

    /// <summary>
    /// Closes the gate and waits until all who are inside have left; followed by <see cref="LeaveAlone"/>. Suspects go
    /// one after the other.
    /// </summary>
    public async Task EnterAloneAsync(CancellationToken cancellationToken)
    {
        await _suspects.WaitAsync(cancellationToken);
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // In this order: once the gate is closed nobody gets inside, so "empty" cannot be said too early.
        _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _empty = empty;
        try
        {
            if (Interlocked.CompareExchange(ref _inside, 0, 0) > 0)
                await empty.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            LeaveAlone();
            throw;
        }
    }

    /// <summary>Opens the gate.</summary>
    public void LeaveAlone()
    {
        var closed = _closed;
        _closed = null;
        _empty = null;
        closed?.SetResult();
        _suspects.Release();
    }

    /// <inheritdoc />
    public void Dispose() => _suspects.Dispose();

    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        do
        {
            Leave();
            if (_closed is { } closed)
                await closed.Task.WaitAsync(cancellationToken);
            Interlocked.Increment(ref _inside);
        } while (_closed is not null);
    }
}
