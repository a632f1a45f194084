namespace Orders.Producer.Api.Limits;

/// <summary>
/// A bucket of tokens that fills by the clock. It is topped up when somebody asks, so a thousand clients who are silent
/// cost nothing, and no timer runs.
/// </summary>
/// <param name="perSecond">Tokens that come in a second.</param>
/// <param name="capacity">Tokens it can hold; it is full at first.</param>
/// <param name="now">The clock's present time stamp.</param>
/// <param name="frequency">The clock's ticks per second.</param>
internal sealed class TokenBucket(double perSecond, int capacity, long now, long frequency)
{
    private readonly Lock _lock = new();
    private double _tokens = capacity;
    private long _filledAt = now;

    /// <summary>Takes tokens, all or none.</summary>
    /// <param name="count">How many, at most the capacity.</param>
    /// <param name="at">The clock's present time stamp.</param>
    /// <returns>Null when they were taken; else how long until so many are there, if nobody takes any before.</returns>
    public TimeSpan? TryTake(int count, long at)
    {
        lock (_lock)
        {
            // Two callers may come here in the other order than they read the clock.
            if (at > _filledAt)
            {
                _tokens = Math.Min(capacity, _tokens + ((double)(at - _filledAt) / frequency * perSecond));
                _filledAt = at;
            }

            if (_tokens < count)
                return TimeSpan.FromSeconds((count - _tokens) / perSecond);
            _tokens -= count;
            return null;
        }
    }
}
