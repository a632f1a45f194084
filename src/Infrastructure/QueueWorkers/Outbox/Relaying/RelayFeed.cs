using QueueWorkers.Clocks;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Hands committed messages to the relay of the same process, in memory: on the normal way nobody ever reads the outbox
/// table.
/// Bounded: what does not fit stays in the table, where the poller finds it when its lease has ended.
/// </summary>
public sealed class RelayFeed : IDisposable
{
    private readonly SemaphoreSlim _poller = new(0, 1);

    /// <summary>
    /// Offers a message whose row has been committed. Never waits and never fails; a message that is due later is left
    /// to the poller.
    /// </summary>
    public void Offer(OutboxMessage message) => Offer(message, delayed: message.DueAt is not null);

    /// <summary>
    /// Asks the poller to look at the table now, for instance because a row came with a due time of its own.
    /// </summary>
    public void WakePoller()
    {
        if (_poller.CurrentCount == 0)
        {
            try
            {
                _poller.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else woke it in the same moment, which is as good.
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _poller.Dispose();

    // Whether a message is delayed is said apart from its due time: a row that was read back from the table carries its
    // lease there.
    internal void Offer(OutboxMessage message, bool delayed)
    {
        if (delayed)
            WakePoller();
        else
            Offered.TryAdd(new Fresh(message, Environment.TickCount64));
    }

    internal OfferQueue Offered { get; } = new();

    /// <summary>Where looks at the table begin, for whoever of this process looks.</summary>
    internal LowWaterMark LowWater { get; } = new(DatabaseClock.Provider);

    internal Task WaitForPollAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        _poller.WaitAsync(atMost, cancellationToken);

    /// <summary>
    /// A message with the moment (<see cref="Environment.TickCount64"/>) at which it was offered: past its lease it
    /// must not be sent from memory.
    /// </summary>
    internal readonly record struct Fresh(OutboxMessage Message, long OfferedAt)
    {
        public TimeSpan Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - OfferedAt);
    }
}
