namespace Orders.Infrastructure.Failures;

/// <summary>Decides when one queue is to be looked through.</summary>
internal sealed class QueueWatch(TimeSpan fullLook, TimeSpan patience)
{
    /// <summary>By how much each message that a look has read puts off the next one.</summary>
    private static readonly TimeSpan PausePerMessage = TimeSpan.FromMilliseconds(1);

    private (long Rows, uint Ready)? _difference;
    private long _differsSince;
    private long _lookedAt = Environment.TickCount64;
    private long _notBefore;
    private TimeSpan _backOff;

    /// <summary>Whether to look now.</summary>
    /// <param name="rows">Messages that the index expects in the queue.</param>
    /// <param name="ready">Messages that the queue holds.</param>
    /// <param name="toDo">Whether there are messages to take out or to put back.</param>
    public bool IsDue(long rows, uint ready, bool toDo)
    {
        var now = Environment.TickCount64;
        if (rows == ready)
        {
            _difference = null;
            _backOff = default;
            return (toDo && now >= _notBefore) || (ready > 0 && now - _lookedAt > fullLook.TotalMilliseconds);
        }

        if (_difference is null)
            _differsSince = now;
        var steady = _difference == (rows, ready);
        _difference = (rows, ready);
        return now >= _notBefore && (toDo || steady || now - _differsSince > patience.TotalMilliseconds);
    }

    /// <summary>
    /// A look has ended. One that changed nothing will not change anything at once either: somebody else holds messages, or the rest lies beyond the limit. And each look reads the whole
    /// queue: while ten thousand messages are redriven, one after the other of them is to be taken out, and the next look waits for ten seconds' worth of them.
    /// </summary>
    /// <param name="result">What it found; null when it failed or another process was at the queue.</param>
    public void Looked(LookResult? result)
    {
        _lookedAt = Environment.TickCount64;
        _difference = null;
        _backOff = result is { Changed: true } ? default : TimeSpan.FromSeconds(Math.Clamp(_backOff.TotalSeconds * 2, 2, 60));
        var read = result is null ? 0 : result.InQueue + result.Removed;
        _notBefore = _lookedAt + (long)Math.Max(_backOff.TotalMilliseconds, (PausePerMessage * read).TotalMilliseconds);
    }
}
