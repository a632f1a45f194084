using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Messaging;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Rows that the broker has confirmed and that still lie in the table. Dying before they are deleted sends them a
/// second time after the lease; the idempotency table drops the copy.
/// </summary>
internal sealed class ConfirmedRows(NpgsqlDataSource database, RelayMetrics metrics, ILogger<Relay> logger)
{
    private const int CleanupBatch = 1000;
    private const int CleanupBusy = 16;

    // Short beside the lease: a relay that dies in between sends up to so much a second time, to be dropped by the
    // idempotency table.
    private static readonly TimeSpan CleanupPause = TimeSpan.FromMilliseconds(200);

    private readonly Channel<Guid> _confirmed = Channel.CreateUnbounded<Guid>(
        new UnboundedChannelOptions { SingleReader = true }
    );

    /// <summary>A row may go.</summary>
    public void Add(Guid id) => _confirmed.Writer.TryWrite(id);

    /// <summary>No more rows come: <see cref="CleanUpAsync"/> ends when it has deleted those that are here.</summary>
    public void Complete() => _confirmed.Writer.Complete();

    /// <summary>Deletes them, as they come, until <see cref="Complete"/>.</summary>
    /// <param name="stopping">Ends the pauses, and not the work.</param>
    public async Task CleanUpAsync(CancellationToken stopping)
    {
        var ids = new List<Guid>();
        var last = 0;
        while (await _confirmed.Reader.WaitToReadAsync(CancellationToken.None))
        {
            // A confirmed row is in nobody's way until its lease ends: under load rows gather, and one statement
            // removes them.
            if (last is >= CleanupBusy and < CleanupBatch)
                await Task.Delay(CleanupPause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (ids.Count < CleanupBatch && _confirmed.Reader.TryRead(out var id))
                ids.Add(id);
            last = ids.Count;
            try
            {
                await OutboxQueries.DeleteAsync(database, [.. ids], CancellationToken.None);
                metrics.Published(ids.Count, RelayMetrics.FastPath);
            }
            catch (NpgsqlException exception)
            {
                // Given up on purpose: the poller sends these once more after their lease, and the copies are dropped
                // by the steps.
                BrokerLog.DatabaseUnavailable(logger, exception.Message, OutboxTable.Lease);
            }
#pragma warning disable CA1031 // The same is true of every other fault, and without this loop every message would be sent twice from now on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                BrokerLog.LoopFailed(logger, exception, "cleanup");
            }

            ids.Clear();
        }
    }
}
