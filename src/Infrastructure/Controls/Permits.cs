namespace Orders.Infrastructure.Controls;

/// <summary>A request for permits of a limit.</summary>
/// <param name="Bucket">The bucket's name.</param>
/// <param name="Limit">The limit.</param>
/// <param name="Wanted">How many could be used soon.</param>
/// <param name="Patience">How long the caller would wait for the first of them; <see cref="OnlyAReservation"/> for a moment at which to come again, and no permit.</param>
internal sealed record PermitRequest(string Bucket, RateLimit Limit, int Wanted, TimeSpan Patience)
{
    /// <summary>The patience of a caller who wants no permit.</summary>
    public static readonly TimeSpan OnlyAReservation = TimeSpan.FromDays(-1);

    /// <summary>The furthest moment that is handed out in order: whoever would come later is told this one, and the bucket stays as it is. Null for no such end.</summary>
    public TimeSpan? Horizon { get; init; }
}

/// <summary>What came of a request: some permits, each for a moment of its own, or none and a moment at which to come again.</summary>
/// <param name="Waits">How long from now until each permit holds; at most half a bundle's time ago.</param>
/// <param name="ComeAgainAfter">Set when there are none.</param>
internal sealed record Permits(IReadOnlyList<TimeSpan> Waits, TimeSpan? ComeAgainAfter)
{
    /// <summary>
    /// Hands out permits one interval apart. A bucket nobody used for a while gives half a bundle at once, no more; and a permit lapses half a bundle's time after its moment.
    /// So the permits used in any window as long as the limit's belong to moments in that window and one bundle's time before it: at most the limit and one bundle.
    /// </summary>
    /// <param name="bucket">How far the limit has been handed out; null when never.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="now">The database's clock: the only one that all replicas share.</param>
    public static (RateBucket Bucket, Permits Permits) Take(RateBucket? bucket, PermitRequest request, DateTimeOffset now)
    {
        var limit = request.Limit;
        var earliest = now - (limit.Interval * limit.Bundle / 2);
        var first = bucket is null || bucket.NextSlot < earliest ? earliest : bucket.NextSlot;
        var returnAt = bucket?.ReturnAt ?? DateTimeOffset.MinValue;
        if (first - now > request.Patience)
        {
            // Everybody who is sent away gets a moment of his own, in the order in which they came and as far apart as the permits are.
            var last = returnAt;
            returnAt = (returnAt > first ? returnAt : first) + limit.Interval;
            if (request.Horizon is { } horizon && returnAt - now > horizon)
                return (new RateBucket { Name = request.Bucket, NextSlot = first, ReturnAt = last }, new Permits([], horizon));
            return (new RateBucket { Name = request.Bucket, NextSlot = first, ReturnAt = returnAt }, new Permits([], returnAt - now));
        }

        var count = Math.Clamp(request.Wanted, 1, limit.Bundle);
        var waits = new TimeSpan[count];
        for (var i = 0; i < count; i++)
            waits[i] = first + (limit.Interval * i) - now;
        return (new RateBucket { Name = request.Bucket, NextSlot = first + (limit.Interval * count), ReturnAt = returnAt }, new Permits(waits, null));
    }

    /// <summary>How long after its moment a permit can still be used.</summary>
    public static TimeSpan Grace(RateLimit limit) => limit.Interval * limit.Bundle / 2;
}
