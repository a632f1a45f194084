using System.Threading.Channels;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Messages that wait in memory for the loop that sends them, while their rows lie in the table. Bounded by count and
/// by bytes: what does not fit is left to the table, where the poller finds it when its lease has ended.
/// </summary>
internal sealed class OfferQueue
{
    private const int Most = 10_000;

    // So many messages of 6 KB; only larger ones are left to the table earlier.
    private const long MostBytes = 64 * 1024 * 1024;

    private readonly Channel<RelayFeed.Fresh> _channel = Channel.CreateBounded<RelayFeed.Fresh>(
        new BoundedChannelOptions(Most) { SingleReader = true }
    );
    private long _bytes;

    /// <summary>Bytes of the bodies that wait.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => !_channel.Reader.TryPeek(out _);

    /// <summary>Adds a message if there is room. Never waits.</summary>
    public bool TryAdd(RelayFeed.Fresh fresh)
    {
        var size = fresh.Message.Body.Length;
        if (Interlocked.Add(ref _bytes, size) - size < MostBytes && _channel.Writer.TryWrite(fresh))
            return true;
        Interlocked.Add(ref _bytes, -size);
        return false;
    }

    /// <summary>Takes the oldest one. Not for use by two callers at once.</summary>
    public bool TryTake(out RelayFeed.Fresh fresh)
    {
        if (!_channel.Reader.TryRead(out fresh))
            return false;
        Interlocked.Add(ref _bytes, -fresh.Message.Body.Length);
        return true;
    }

    /// <summary>Waits until there is one to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) =>
        await _channel.Reader.WaitToReadAsync(cancellationToken);
}
