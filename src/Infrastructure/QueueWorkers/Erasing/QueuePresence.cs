using QueueWorkers.Monitoring;

namespace QueueWorkers.Erasing;

/// <summary>
/// Whether a queue is there at all. Asked of the management API where the broker refuses the queue: it checks the right
/// before it looks for the queue, so a queue that was deleted is refused for ever.
/// </summary>
/// <param name="queues">Reads the queues.</param>
public sealed class QueuePresence(QueueReader queues)
{
    /// <summary>Whether the queue is known to be gone; false when that cannot be told now.</summary>
    public async Task<bool> IsGoneAsync(string queue, CancellationToken cancellationToken)
    {
        try
        {
            return (await queues.ReadAsync(cancellationToken)).All(q => q.Name != queue);
        }
        catch (Exception away) when (away is HttpRequestException or TimeoutException)
        {
            // The queue stays one that may not be read, which is what the operator is told.
            return false;
        }
    }
}
