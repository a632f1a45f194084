using System.Threading.Channels;
using Npgsql;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Takes rows that are due (left behind by a dead process, delayed on purpose, or refused before) out of the table in a
/// transaction, publishes and commits. Two loops: the second one helps while there is more than a batch.
/// </summary>
internal sealed class RelayPoller(
    NpgsqlDataSource database,
    BrokerConnection broker,
    RelayFeed feed,
    OutboxOptions options,
    Fleet fleet,
    RelaySends sends
)
{
    // Due, and yet not to be had, because another relay holds the rows: waits twice as long each time, up to a second.
    private static readonly TimeSpan HeldElsewhere = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestHeld = TimeSpan.FromSeconds(1);

    // However many processes there are, all together look at least five times a second, and each knows of its own
    // delayed rows; rows that are about to be due make them look up to fifty times.
    private static readonly TimeSpan SharePerLook = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SharePerDue = TimeSpan.FromMilliseconds(20);

    // What was taken since the last look lies between the mark and the rows that are next.
    private const int MostTakesPerLook = 8;

    private int _takesSinceLook;

    private readonly Channel<bool> _more = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>The loop that looks.</summary>
    public async Task RunAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        var wait = options.PollInterval;
        var held = HeldElsewhere;
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            if (!broker.IsReady)
                await broker.OpenAsync(stopping);

            wait = broker.IsReady
                ? await PollOnceAsync(publisher, isMoreKnown: wait == TimeSpan.Zero, stopping)
                : options.PollInterval;
            if (wait != HeldElsewhere)
                held = HeldElsewhere;
            else
                (wait, held) = (held, held * 2 < LongestHeld ? held * 2 : LongestHeld);
            if (wait > TimeSpan.Zero)
                await feed.WaitForPollAsync(wait, stopping);
            else
                _more.Writer.TryWrite(true);
        }
    }

    /// <summary>The loop that helps.</summary>
    // One batch is with the broker while the other is taken or committed: 15,700 rows a second where one poller alone
    // made 10,900 in the same quarter of an hour (docs/performance.md).
    public async Task HelpAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        while (true)
        {
            await _more.Reader.ReadAsync(stopping);
            while (broker.IsReady && await PollOnceAsync(publisher, isMoreKnown: true, stopping) == TimeSpan.Zero)
                stopping.ThrowIfCancellationRequested();
        }
    }

    // Returns how long to wait before the next look: nothing while there is more to do.
    private async Task<TimeSpan> PollOnceAsync(RelayPublisher publisher, bool isMoreKnown, CancellationToken stopping)
    {
        // Before a turn and rows are taken, for which all other relays may wait.
        await publisher.OpenAsync(stopping);
        // Also when nothing is due: rows may wait for just this news.
        await sends.ShareAsync(stopping);
        Failpoint.Hit("relay.before_open", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(stopping);
        // An idle relay asks one cheap question now and then: no transaction, no lock, one round trip.
        if (!isMoreKnown || Interlocked.Increment(ref _takesSinceLook) > MostTakesPerLook)
        {
            var look = await LookAsync(connection, stopping);
            if (look.IsAnyAbandoned)
                await sends.AdoptAsync(connection, stopping);
            if (look.Next != TimeSpan.Zero)
                return UntilNextLook(look.Next);
        }

        await sends.RefreshAsync(connection, stopping);
        await using var transaction = await connection.BeginTransactionAsync(stopping);
        var rows = await OutboxQueries.TakeAsync(connection, options.BatchSize, feed.LowWater.From, stopping);
        if (rows.Count == 0)
        {
            await transaction.RollbackAsync(stopping);
            // Due, and yet not to be had: another relay holds the rows. Asking at once again would be spinning.
            return HeldElsewhere;
        }

        var (waiting, fresh) = (new List<PublishFailure>(), new List<OutboxMessage>());
        foreach (var row in sends.Slow.IsEmpty ? [] : rows)
        {
            if (!sends.Slow.IsOnList(row, out var reason))
                continue;
            waiting.Add(row.LastError is null ? PublishFailure.Later(row) : PublishFailure.Waiting(row, reason));
            if (row.LastError is null)
                fresh.Add(row);
        }

        // A batch that its bytes may have ended: the next row can be the large one.
        var isMore =
            rows.Count >= options.BatchSize || rows.Sum(row => (long)row.Body.Length) > OutboxOptions.BatchBytes / 4;
        if (waiting.Count > 0)
            rows = [.. rows.Except(waiting.Select(w => w.Message))];
        if (!await sends.SendTakenAsync(publisher, connection, rows, waiting, isTrial: false, stopping))
        {
            await transaction.RollbackAsync(stopping);
            return options.PollInterval;
        }

        // The lease of what was put back began just now; a slow commit is a part of it.
        var leased = Environment.TickCount64;
        Failpoint.Hit("relay.before_poll_commit", Outside.Database);
        await transaction.CommitAsync(CancellationToken.None);
        Failpoint.Hit("relay.after_poll_commit", Outside.Database);
        // As if this process had just written them: theirs for a lease.
        var age = TimeSpan.FromMilliseconds(Environment.TickCount64 - leased);
        fresh.ForEach(row => sends.Slow.Offer(row, age));
        // "waiting" has, by now, also what was sent and failed.
        sends.NoteStranded(waiting);
        return isMore ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1);
    }

    private Task<OutboxQueries.Look> LookAsync(NpgsqlConnection connection, CancellationToken stopping)
    {
        Volatile.Write(ref _takesSinceLook, 0);
        return OutboxQueries.NextDueAsync(
            connection,
            feed.LowWater,
            fleet.Pace(LowWaterMark.SharePerFullLook, options.PollInterval, TimeSpan.FromMinutes(10)),
            stopping
        );
    }

    // Every process sees the same next row. Of many each comes a little later than the last one, or all would be there
    // at once for it; the first takes what is due, the others find the next.
    private TimeSpan UntilNextLook(TimeSpan? next)
    {
        var look = fleet.Pace(SharePerLook, options.PollInterval, LongestLook);
        return next < look ? next.Value + (SharePerDue * 2 * (fleet.Processes - 1) * Random.Shared.NextDouble()) : look;
    }
}
