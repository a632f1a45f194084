namespace Orders.Infrastructure.Failures;

/// <summary>Decides when one queue is to be looked through.</summary>
internal sealed class QueueWatch(TimeSpan fullLook, TimeSpan patience)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

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
    /// queue: while ten thousand messages are redriven, one after the other of them is to be taken out, and looking may take no more than a tenth of the time.
    /// </summary>
    /// <param name="result">What it found; null when it failed or another process was at the queue.</param>
    /// <param name="took">How long it took.</param>
    public void Looked(LookResult? result, TimeSpan took)
    {
        _lookedAt = Environment.TickCount64;
        _difference = null;
        _backOff = result is { Changed: true } ? default : TimeSpan.FromSeconds(Math.Clamp(_backOff.TotalSeconds * 2, 2, 60));
        var pause = Math.Max(_backOff.TotalMilliseconds, Math.Min(took.TotalMilliseconds * 9, LongestPause.TotalMilliseconds));
        _notBefore = _lookedAt + (long)pause;
    }
}
