namespace Orders.Infrastructure.Controls;

/// <summary>How long a message waits that is deferred several times: twice as long each time, so that the deferrals of one message grow with the logarithm of the time it waits.</summary>
internal static class Backoff
{
    private const double LeastJitter = 0.75;

    /// <summary>The wait, by a quarter shorter at most, so that what was deferred together does not come back together. The same message always gets the same share.</summary>
    /// <param name="first">The first wait.</param>
    /// <param name="longest">Where the doubling ends.</param>
    /// <param name="deferrals">How often the message was deferred before.</param>
    /// <param name="messageId">The original message id.</param>
    public static TimeSpan After(TimeSpan first, TimeSpan longest, int deferrals, Guid messageId)
    {
        var wait = first * Math.Pow(2, Math.Clamp(deferrals, 0, 20));
        return (wait < longest ? wait : longest) * (LeastJitter + ((1 - LeastJitter) * Spread.ShareOf(messageId)));
    }
}
