using QueueWorkers.Clocks;

namespace QueueWorkers.FlowControl.RateLimits;

/// <summary>
/// Spreads what was sent away together over a few seconds, so that it does not come back together. The same message
/// always gets the same place.
/// </summary>
internal static class Jitter
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(3);

    public static DateTimeOffset After(DateTimeOffset at, Guid messageId)
    {
        var now = DatabaseClock.UtcNow;
        return (at > now ? at : now) + (Most * ShareOf(messageId));
    }

    /// <summary>A number from 0 to 1 that belongs to the message.</summary>
    public static double ShareOf(Guid messageId)
    {
        Span<byte> bytes = stackalloc byte[16];
        messageId.TryWriteBytes(bytes);
        // The tail of a message id is random in every scheme in use.
        return BitConverter.ToUInt32(bytes[12..]) / (double)uint.MaxValue;
    }
}
