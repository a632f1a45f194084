using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Sends what this process has committed and offered in memory (<see cref="RelayFeed"/>), in batches.
/// </summary>
internal sealed class RelayFastPath(BrokerConnection broker, RelayFeed feed, OutboxOptions options, RelaySends sends)
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    /// <summary>The loop; ends when the process stops, after what is in memory went out.</summary>
    public async Task RunAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        var batch = new List<OutboxMessage>(options.BatchSize);
        var lanes = new PriorityBatcher(feed.Offered, options.BatchSize);
        while (true)
        {
            try
            {
                await lanes.WaitAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                // Stopping: what is in memory goes out now rather than a lease later.
                using var drain = new CancellationTokenSource(DrainTime);
                while (broker.IsReady && lanes.Take(batch, sends.SendableAge))
                    await SendOfferedAsync(publisher, batch, drain.Token);
                return;
            }

            if (!lanes.Take(batch, sends.SendableAge))
                continue;
            if (!broker.IsReady)
                await broker.OpenAsync(stopping);
            // Blocked by an alarm: the rows wait in the table; publishing would only fill the socket.
            if (broker.IsReady)
                await SendOfferedAsync(publisher, batch, stopping);
        }
    }

    private async Task SendOfferedAsync(
        RelayPublisher publisher,
        List<OutboxMessage> batch,
        CancellationToken cancellationToken
    )
    {
        if (!sends.Slow.IsEmpty)
            MoveToTheLane(batch);
        if (batch.Count > 0)
            await sends.SendAsync(publisher, batch, RelayMetrics.FastPath, cancellationToken);
    }

    private void MoveToTheLane(List<OutboxMessage> batch) =>
        batch.RemoveAll(message =>
        {
            if (!sends.Slow.Contains(message))
                return false;
            // Its lease began when it was written, and not now.
            sends.Slow.Offer(message, TimedId.AgeOf(message.Id));
            return true;
        });
}
