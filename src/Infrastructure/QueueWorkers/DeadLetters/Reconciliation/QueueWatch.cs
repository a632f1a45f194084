namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>Decides when one queue is to be looked through.</summary>
internal sealed class QueueWatch(TimeSpan fullLook, TimeSpan patience)
{
    /// <summary>By how much each message that a look has read puts off the next one.</summary>
    private static readonly TimeSpan PausePerMessage = TimeSpan.FromMilliseconds(1);

    // A look at more than this many messages is felt by those who are at work meanwhile: looks like that may take a
    // fiftieth of the time, and what is to be taken out waits for up to 10 s.
    // Measured: with one every 2 s, 95 % of fresh messages took 101 ms during a redrive at 50 a second, 37 ms without
    // (FreshOrdersDuringRedriveTests).
    private const int Felt = 100;
    private const int OneIn = 50;
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(10);

    // Beyond what is to be taken out: a few that stand between.
    private const int Margin = 50;

    private (long Rows, uint Ready)? _difference;
    private long _differsSince;
    private long _lookedAt = Environment.TickCount64;
    private long _askedAt;
    private long _notBefore;
    private TimeSpan _backOff;
    private long _soughtAtHead;
    private bool _headWasNotEnough;

    /// <summary>Whether to look now.</summary>
    /// <param name="rows">Messages that the index expects in the queue.</param>
    /// <param name="ready">Messages that the queue holds.</param>
    /// <param name="toDo">Messages to take out or to put back.</param>
    public bool IsDue(long rows, uint ready, long toDo)
    {
        var now = Environment.TickCount64;
        _soughtAtHead = 0;
        _askedAt = now;
        if (rows == ready)
        {
            _difference = null;
            _backOff = default;
            var full = ready > 0 && now - _lookedAt > fullLook.TotalMilliseconds;
            if (!full && !_headWasNotEnough)
                _soughtAtHead = toDo;
            return (toDo > 0 && now >= _notBefore) || full;
        }

        if (_difference is null)
            _differsSince = now;
        var steady = _difference == (rows, ready);
        _difference = (rows, ready);
        return now >= _notBefore && (toDo > 0 || steady || now - _differsSince > patience.TotalMilliseconds);
    }

    /// <summary>
    /// How many messages the look that is due has to hold; null for as many as it may. Where the counts agree, it only
    /// takes out what was sent again or put away, and that is mostly the oldest: the head of the queue is enough. A
    /// look at a queue of ten thousand would read all of them for the few hundred that have left.
    /// </summary>
    public int? Most =>
        _soughtAtHead > 0 ? (int)Math.Min(int.MaxValue, _soughtAtHead + (_soughtAtHead / 4) + Margin) : null;

    /// <summary>
    /// A look has ended. One that changed nothing will not change anything at once either: somebody else holds
    /// messages, or the rest lies beyond the limit. And while ten thousand messages are redriven, one after the other
    /// of them is to be taken out: each message that was read puts the next look off.
    /// </summary>
    /// <param name="result">What it found; null when it failed or another process was at the queue.</param>
    public void Looked(ReconcileResult? result)
    {
        _lookedAt = Environment.TickCount64;
        _difference = null;
        _headWasNotEnough =
            _soughtAtHead > 0
            && result is { Complete: false }
            && result.Removed + result.PutBack < (_soughtAtHead + 1) / 2;
        _backOff = result is { Changed: true }
            ? default
            : TimeSpan.FromSeconds(Math.Clamp(_backOff.TotalSeconds * 2, 2, 60));
        var read = result is null ? 0 : result.InQueue + result.Removed;
        var rest = read > Felt ? Math.Min((_lookedAt - _askedAt) * OneIn, (long)LongestRest.TotalMilliseconds) : 0;
        _notBefore =
            _lookedAt
            + Math.Max(rest, (long)Math.Max(_backOff.TotalMilliseconds, (PausePerMessage * read).TotalMilliseconds));
    }
}
