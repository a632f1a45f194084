namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>
/// Bounds how many repeated runs call a dependency at a time, so that a dependency which has just come back, or works
/// badly, is not kept down by its own backlog of retries.
/// The bound is a window that follows what the dependency can bear, as TCP's does: each call that succeeds widens it by
/// one (it doubles with every round of calls), each that fails by the dependency's fault halves it. It never falls
/// below one: there is always a retry that finds out whether things are better.
/// First runs are not bounded, but their outcomes count. Kept per process, in memory; a process that restarts begins
/// with <see cref="First"/>.
/// </summary>
public sealed class RetryBudget
{
    /// <summary>Retries at a time before anything is known.</summary>
    public const int First = 8;

    /// <summary>The widest window. A few failures in a row bring it down to one from here.</summary>
    public const int Widest = 256;

    private readonly Lock _lock = new();
    private readonly HashSet<Guid> _running = [];
    private int _window = First;

    /// <summary>Retries that may be under way at a time.</summary>
    public int Window
    {
        get
        {
            lock (_lock)
                return _window;
        }
    }

    /// <summary>Retries under way.</summary>
    public int Running
    {
        get
        {
            lock (_lock)
                return _running.Count;
        }
    }

    /// <summary>Whether a repeated run may begin; if so, <see cref="Leave"/> has to follow.</summary>
    public bool TryEnter(Guid messageId)
    {
        lock (_lock)
        {
            if (_running.Count >= _window)
                return false;
            _running.Add(messageId);
            return true;
        }
    }

    /// <summary>A run has ended; does nothing for one that was not let in here.</summary>
    public void Leave(Guid messageId)
    {
        lock (_lock)
            _running.Remove(messageId);
    }

    /// <summary>The dependency has answered.</summary>
    public void Succeeded()
    {
        lock (_lock)
            _window = Math.Min(_window + 1, Widest);
    }

    /// <summary>A call has failed by the dependency's fault.</summary>
    public void Failed()
    {
        lock (_lock)
            _window = Math.Max(_window / 2, 1);
    }
}
