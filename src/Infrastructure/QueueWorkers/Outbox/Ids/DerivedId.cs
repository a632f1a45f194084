using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace QueueWorkers.Outbox.Ids;

/// <summary>
/// Ids that follow from what a message is about: whoever makes the message again makes the same one, and every step
/// that has seen it drops the copy.
/// They are version 7 UUIDs with the time of their origin in front, so that they land at the end of an index as fresh
/// ids do; the rest is SHA-256.
/// </summary>
public static class DerivedId
{
    private const int TimeBytes = 6;
    private const int LongestName = 256;

    /// <summary>The id of what follows from a parent, such as a message from the subject it is about.</summary>
    /// <param name="parent">The origin.</param>
    /// <param name="name">What it is of the parent, such as its exchange; at most 256 bytes of UTF-8.</param>
    public static Guid Of(Guid parent, string name)
    {
        Span<byte> origin = stackalloc byte[16];
        parent.TryWriteBytes(origin, bigEndian: true, out _);
        return Of(origin[..TimeBytes], origin, name);
    }

    /// <summary>The id of what follows from a name and a moment, such as a firing of a schedule.</summary>
    public static Guid Of(DateTimeOffset moment, string name)
    {
        Span<byte> time = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, moment.ToUnixTimeMilliseconds());
        Span<byte> origin = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(origin, moment.UtcTicks);
        return Of(time[2..], origin, name);
    }

    private static Guid Of(ReadOnlySpan<byte> time, ReadOnlySpan<byte> origin, string name)
    {
        Span<byte> input = stackalloc byte[origin.Length + LongestName];
        origin.CopyTo(input);
        var length = Encoding.UTF8.GetBytes(name, input[origin.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input[..(origin.Length + length)], hash);

        var id = hash[..16];
        time.CopyTo(id);
        id[6] = (byte)(0x70 | (id[6] & 0x0f));
        id[8] = (byte)(0x80 | (id[8] & 0x3f));
        return new Guid(id, bigEndian: true);
    }
}
