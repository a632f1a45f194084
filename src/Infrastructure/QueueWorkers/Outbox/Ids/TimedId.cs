using QueueWorkers.Clocks;

namespace QueueWorkers.Outbox.Ids;

/// <summary>
/// Version 7 UUIDs carry the time they were made at, so a bound on time is a bound on the key, and a walk through the
/// rows of some time is a walk along it.
/// </summary>
public static class TimedId
{
    /// <summary>
    /// The smallest version 7 UUID of a moment (RFC 9562: 48 bits of milliseconds, then the version).
    /// </summary>
    public static Guid FirstAt(DateTimeOffset moment) => FirstAt(moment.ToUnixTimeMilliseconds());

    /// <summary>How long ago a version 7 UUID was made, never less than zero; zero for any other.</summary>
    public static TimeSpan AgeOf(Guid id)
    {
        if (id.Version != 7)
            return TimeSpan.Zero;
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        long milliseconds = 0;
        for (var i = 0; i < 6; i++)
            milliseconds = (milliseconds << 8) | bytes[i];
        return TimeSpan.FromMilliseconds(Math.Max(0, DatabaseClock.UtcNow.ToUnixTimeMilliseconds() - milliseconds));
    }

    /// <summary>
    /// The same for a moment in milliseconds since 1970, which may lie outside the calendar: dates have an end, numbers
    /// do not.
    /// </summary>
    public static Guid FirstAt(long unixMilliseconds)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Clamp(unixMilliseconds, 0, (1L << 48) - 1);
        for (var i = 0; i < 6; i++)
            bytes[i] = (byte)(milliseconds >> (40 - (8 * i)));
        return new Guid(bytes, bigEndian: true);
    }
}
