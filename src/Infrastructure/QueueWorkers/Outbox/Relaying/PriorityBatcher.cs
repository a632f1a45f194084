using System.Threading.Channels;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// The order in which offered messages leave: the higher class first, and of each batch a share for the others, so that
/// they go on however many of the higher class come.
/// Not for use by two callers at once.
/// </summary>
internal sealed class PriorityBatcher(ChannelReader<RelayFeed.Fresh> offered, int batchSize)
{
    /// <summary>A priority above this one goes first; it is the broker's normal.</summary>
    public const short Normal = 4;

    // Enough to have something to choose from; what is not taken out of the feed yet counts for its limit.
    private const int Most = 2000;

    private readonly Queue<RelayFeed.Fresh> _first = new();
    private readonly Queue<RelayFeed.Fresh> _others = new();

    /// <summary>Waits until there is something to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (_first.Count == 0 && _others.Count == 0)
            await offered.WaitToReadAsync(cancellationToken);
    }

    /// <summary>Fills a batch with what may still be sent from memory.</summary>
    /// <param name="batch">Where to; emptied before.</param>
    /// <param name="oldest">What is older is left to the poller.</param>
    /// <returns>Whether there is anything in it.</returns>
    public bool Take(List<OutboxMessage> batch, TimeSpan oldest)
    {
        batch.Clear();
        while (_first.Count + _others.Count < Most && offered.TryRead(out var fresh))
            (fresh.Message.Priority > Normal ? _first : _others).Enqueue(fresh);
        Move(_first, batch, batchSize - Math.Min(_others.Count, batchSize / 5), oldest);
        Move(_others, batch, batchSize, oldest);
        return batch.Count > 0;
    }

    private static void Move(Queue<RelayFeed.Fresh> from, List<OutboxMessage> batch, int until, TimeSpan oldest)
    {
        while (batch.Count < until && from.TryDequeue(out var fresh))
        {
            if (fresh.Age < oldest)
                batch.Add(fresh.Message);
        }
    }
}
