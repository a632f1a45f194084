namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// The due time before which the outbox held no row at the last look, and so where the next look begins. While somebody
/// holds an old snapshot (a dump, a forgotten session), no row that was sent may be cleared away: a look from the
/// beginning steps over all of them, the more the longer it lasts.
/// A row that is written later is due at its commit or after it, but for the time its transaction takes: the mark stays
/// that much behind (<see cref="Slack"/>). What comes later still is found by a look from the beginning, now and then,
/// which takes at most a hundredth of the time.
/// A process that starts knows no mark.
/// </summary>
internal sealed class LowWaterMark
{
    /// <summary>How far the mark stays behind the present: longer than statements may take.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(15);

    /// <summary>All processes together look from the beginning this often, and each at most once a minute.</summary>
    public static readonly TimeSpan SharePerFullLook = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMinutes(1);
    private const int PauseOverLook = 100;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private DateTimeOffset _from = DateTimeOffset.MinValue;
    private TimeSpan _fullLookAt;

    /// <param name="time">Measures the pauses.</param>
    public LowWaterMark(TimeProvider time) => _time = time;

    /// <summary>Before this no row is known to be due.</summary>
    public DateTimeOffset From
    {
        get
        {
            lock (_lock)
                return _from;
        }
    }

    // Monotonic.
    private TimeSpan Now => _time.GetElapsedTime(0);

    /// <summary>Where the next look begins: at the mark, or at the beginning when that is due.</summary>
    public DateTimeOffset NextLook()
    {
        lock (_lock)
            return Now >= _fullLookAt ? DateTimeOffset.MinValue : _from;
    }

    /// <summary>Learns from a look.</summary>
    /// <param name="from">Where it began.</param>
    /// <param name="first">The due time of the first row; null when there was none.</param>
    /// <param name="at">When it was made, by the database's clock.</param>
    /// <param name="took">How long.</param>
    /// <param name="pause">The process's share of the looks from the beginning.</param>
    public void Learn(DateTimeOffset from, DateTimeOffset? first, DateTimeOffset at, TimeSpan took, TimeSpan pause)
    {
        var behind = at - Slack;
        lock (_lock)
        {
            // A look that began behind the mark says nothing of what lies before its beginning.
            if (from <= _from)
                _from = first < behind ? first.Value : behind;
            if (from > DateTimeOffset.MinValue)
                return;
            var least = took * PauseOverLook;
            _fullLookAt = Now + (pause > least ? pause : least);
            if (_fullLookAt < Now + ShortestPause)
                _fullLookAt = Now + ShortestPause;
        }
    }
}
