using Npgsql;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Sends, apart from all others, what goes where nothing is taken (<see cref="SlowDestinations"/>): each row once, and
/// now and then one row of the table for a trial. What is sent here may take the whole confirm time-out.
/// </summary>
internal sealed class RelaySlowLane(
    NpgsqlDataSource database,
    BrokerConnection broker,
    RelayFeed feed,
    OutboxOptions options,
    RelaySends sends
)
{
    /// <summary>The loop.</summary>
    public async Task RunAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        while (true)
        {
            var trial = await sends.Slow.NextAsync(stopping);
            if (!broker.IsReady)
                await broker.OpenAsync(stopping);
            // Blocked by an alarm: a trial would say nothing about its destination, and take its time.
            if (!broker.IsReady)
            {
                await Task.Delay(options.PollInterval, stopping);
                continue;
            }

            if (trial is { } destination)
                await TryAsync(publisher, destination, stopping);
            var batch = sends.Slow.TakeOffered(options.BatchSize, sends.SendableAge);
            if (batch.Count > 0)
                await sends.SendAsync(publisher, batch, RelayMetrics.SlowLane, stopping);
        }
    }

    private async Task TryAsync(RelayPublisher publisher, Destination destination, CancellationToken stopping)
    {
        await publisher.OpenAsync(stopping);
        if (await sends.Trials.ClaimAsync(destination, stopping) is not var (isOurs, left))
        {
            // Nobody was told of it yet, so nobody has found it back.
            if (!sends.Slow.IsShared(destination))
                sends.Slow.Postpone(destination, TimeSpan.Zero);
            else
                sends.Forget(destination);
            await sends.ShareAsync(stopping);
            feed.WakePoller();
            return;
        }

        if (!isOurs)
        {
            sends.Slow.Postpone(destination, left);
            return;
        }

        await using var connection = await database.OpenConnectionAsync(stopping);
        await using var transaction = await connection.BeginTransactionAsync(stopping);
        var rows = await OutboxQueries.TakeOneAsync(connection, destination, feed.LowWater.From, stopping);
        var putBack = new List<PublishFailure>();
        if (
            rows.Count == 0
            || !await sends.SendTakenAsync(publisher, connection, rows, putBack, isTrial: true, stopping)
        )
        {
            await transaction.RollbackAsync(stopping);
            if (sends.Slow.Miss(destination, left))
            {
                await sends.Trials.RemoveAsync(destination, stopping);
                await sends.Trials.ReleaseAsync(destination, stopping);
            }

            return;
        }

        await transaction.CommitAsync(CancellationToken.None);
        sends.NoteStranded(putBack);
        sends.Slow.Postpone(destination, left);
        await sends.ShareAsync(stopping);
        // If it got through, the others are due about now.
        feed.WakePoller();
    }
}
