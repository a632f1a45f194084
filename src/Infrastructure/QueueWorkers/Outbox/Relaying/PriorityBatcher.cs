namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// The order in which offered messages leave: the higher class first, and of each batch a share for the others, so that
/// they go on however many of the higher class come.
/// Not for use by two callers at once.
/// </summary>
internal sealed class PriorityBatcher(OfferQueue offered, int batchSize)
{
    /// <summary>A priority above this one goes first; it is the broker's normal.</summary>
    public const short Normal = 4;

    // Enough to have something to choose from; what is not taken out of the feed yet counts for its limits.
    private const int Most = 2000;
    private const long MostBytes = 2L * OutboxOptions.BatchBytes;

    private readonly Queue<RelayFeed.Fresh> _first = new();
    private readonly Queue<RelayFeed.Fresh> _others = new();
    private long _bytes;

    /// <summary>Waits until there is something to take.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (_first.Count == 0 && _others.Count == 0)
            await offered.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Fills a batch with what may still be sent from memory: up to <see cref="OutboxOptions.BatchBytes"/>, and of each
    /// class at least one.
    /// </summary>
    /// <param name="batch">Where to; emptied before.</param>
    /// <param name="oldest">What is older is left to the poller.</param>
    /// <returns>Whether there is anything in it.</returns>
    public bool Take(List<OutboxMessage> batch, TimeSpan oldest)
    {
        batch.Clear();
        while (_first.Count + _others.Count < Most && _bytes < MostBytes && offered.TryTake(out var fresh))
        {
            _bytes += fresh.Message.Body.Length;
            (fresh.Message.Priority > Normal ? _first : _others).Enqueue(fresh);
        }

        var left = Move(
            _first,
            batch,
            batchSize - Math.Min(_others.Count, batchSize / 5),
            _others.Count == 0 ? OutboxOptions.BatchBytes : OutboxOptions.BatchBytes / 5 * 4,
            oldest
        );
        Move(_others, batch, batchSize, left + (_others.Count == 0 ? 0 : OutboxOptions.BatchBytes / 5), oldest);
        return batch.Count > 0;
    }

    // Returns the bytes that are left.
    private long Move(Queue<RelayFeed.Fresh> from, List<OutboxMessage> batch, int until, long bytes, TimeSpan oldest)
    {
        var isFirst = true;
        while (batch.Count < until && from.TryPeek(out var fresh) && (isFirst || fresh.Message.Body.Length <= bytes))
        {
            from.Dequeue();
            _bytes -= fresh.Message.Body.Length;
            if (fresh.Age >= oldest)
                continue;
            batch.Add(fresh.Message);
            bytes -= fresh.Message.Body.Length;
            isFirst = false;
        }

        return Math.Max(bytes, 0);
    }
}
