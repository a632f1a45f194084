namespace Orders.Infrastructure.Orders.Reading;

/// <summary>An order's id is a version 7 UUID: it carries the time it was made at, so a bound on time is a bound on the key.</summary>
public static class OrderIds
{
    /// <summary>The smallest version 7 UUID of a moment (RFC 9562: 48 bits of milliseconds, then the version). The arithmetic is done on numbers: dates have an end.</summary>
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
