namespace QueueWorkers.Clocks;

/// <summary>
/// A clock elsewhere, known by asking it. An answer is exact to half of the time that it took. A slow answer does not
/// replace a quick one, unless the two cannot both be true: then the other clock was set, or this process did not count
/// the time for which its machine was suspended.
/// </summary>
internal sealed class MeasuredClock(TimeProvider own)
{
    // Crystals drift by some ten millionths; more is allowed for, so that an old answer gives way to a new one.
    private const double DriftPerSecond = 0.0002;

    private Answer? _last;

    /// <summary>Its time now; by the own clock as long as there was no answer.</summary>
    public DateTimeOffset UtcNow => Volatile.Read(ref _last) is { } last ? At(last) : own.GetUtcNow();

    /// <summary>Notes an answer.</summary>
    /// <param name="time">What it said.</param>
    /// <param name="askedAt">The own timestamp before the question.</param>
    public void Answered(DateTimeOffset time, long askedAt)
    {
        var now = own.GetTimestamp();
        var half = own.GetElapsedTime(askedAt, now) / 2;
        var fresh = new Answer(time + half, now, half);
        while (true)
        {
            var last = Volatile.Read(ref _last);
            if (last is not null && !IsBetter(fresh, last))
                return;
            if (ReferenceEquals(Interlocked.CompareExchange(ref _last, fresh, last), last))
                return;
        }
    }

    private bool IsBetter(Answer fresh, Answer last)
    {
        var age = own.GetElapsedTime(last.Timestamp, fresh.Timestamp);
        var error = last.Error + (age * DriftPerSecond);
        var apart = (fresh.Time - (last.Time + age)).Duration();
        return fresh.Error <= error || apart > fresh.Error + error;
    }

    private DateTimeOffset At(Answer answer) => answer.Time + own.GetElapsedTime(answer.Timestamp);

    private sealed record Answer(DateTimeOffset Time, long Timestamp, TimeSpan Error);
}
