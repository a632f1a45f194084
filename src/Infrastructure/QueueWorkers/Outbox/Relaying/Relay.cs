using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Ids;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Moves committed messages to the broker. The life of a message:
/// 1. Its row is committed with the data, due a lease later, and it is offered to this process's relay in memory.
/// 2. The fast path loop publishes what was offered, in batches, and awaits the broker's confirms. Dying here sends
///    nothing or sends it without anybody knowing: the row is still there.
/// 3. The cleanup loop deletes the rows of confirmed messages. Dying before that sends them a second time after the
///    lease; the idempotency table drops the copy.
/// 4. The poller loop takes rows that are due (left behind by a dead process, delayed on purpose, or refused before)
///    out of the table in a transaction, publishes and commits.
///    Dying in between rolls back. Rows locked by another poller are skipped, so any number of relays may run, and each
///    has a second poller that helps while there is more than a batch.
/// 5. What the broker refuses waits longer each time and is quarantined in the end; it never holds up the others.
/// 6. What goes where nothing is taken (a queue is full or silent) is sent once, through a lane of its own, and then
///    waits in the table; the lane tries one row of it now and then (<see cref="SlowDestinations"/>).
/// </summary>
public sealed class Relay(
    NpgsqlDataSource database,
    BrokerConnection broker,
    RelayFeed feed,
    OutboxOptions options,
    Fleet fleet,
    RelayMetrics metrics,
    ILogger<Relay> logger
) : BackgroundService
{
    private const int CleanupBatch = 1000;
    private const int CleanupBusy = 16;

    // From this age on a message offered in memory is left to the poller: its lease would end before its confirm may be
    // overdue, and two relays would send it.
    private readonly TimeSpan _sendableAge = OutboxTable.Lease - options.ConfirmTimeout;
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    // Due, and yet not to be had, because another relay holds the rows: waits twice as long each time, up to a second.
    private static readonly TimeSpan HeldElsewhere = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestHeld = TimeSpan.FromSeconds(1);

    // However many processes there are, all together look at least five times a second, and each knows of its own
    // delayed rows; rows that are about to be due make them look up to fifty times.
    private static readonly TimeSpan SharePerLook = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SharePerDue = TimeSpan.FromMilliseconds(20);

    // Short beside the lease: a relay that dies in between sends up to so much a second time, to be dropped by the
    // idempotency table.
    private static readonly TimeSpan CleanupPause = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    private readonly Channel<Guid> _confirmed = Channel.CreateUnbounded<Guid>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly SlowDestinations _slow = new(DatabaseClock.Provider);
    private readonly Channel<bool> _more = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A loop that ends by itself takes the others along, and then the process (LoopWatch): three that go on would
        // hide that a fourth is missing.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var cleanup = CleanUpAsync(ending.Token);
        Task[] sending =
        [
            KeepRunningAsync("fast path", SendFastPathAsync, ending.Token),
            KeepRunningAsync("poller", PollAsync, ending.Token),
            KeepRunningAsync("second poller", HelpPollAsync, ending.Token),
            KeepRunningAsync("slow lane", SendLaneAsync, ending.Token),
        ];
        await Task.WhenAny([cleanup, .. sending]);
        await ending.CancelAsync();
        try
        {
            await Task.WhenAll(sending);
        }
        finally
        {
            _confirmed.Writer.Complete();
            await cleanup;
        }

        if (!stoppingToken.IsCancellationRequested)
            throw new InvalidOperationException("A loop of the relay has ended by itself.");
    }

    private async Task KeepRunningAsync(
        string name,
        Func<RelayPublisher, CancellationToken, Task> loop,
        CancellationToken stopping
    )
    {
        var pause = ShortestPause;
        while (!stopping.IsCancellationRequested)
        {
            var began = Environment.TickCount64;
            try
            {
                // Inside: what its disposal throws must not end the loop either.
                await using var publisher = new RelayPublisher(broker, options.ConfirmTimeout);
                await broker.OpenAsync(stopping);
                await loop(publisher, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
                when (exception
                        is RabbitMQ.Client.Exceptions.RabbitMQClientException
                            or IOException
                            or NpgsqlException
                            or TimeoutException
                )
            {
                if (exception is NpgsqlException)
                    BrokerLog.DatabaseUnavailable(logger, exception.Message, pause);
                else
                    BrokerLog.Unreachable(logger, exception.InnerException?.Message ?? exception.Message, pause);
            }
#pragma warning disable CA1031 // The loop is the only way out of the outbox: whatever happened, it has to go on, and says so.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                BrokerLog.LoopFailed(logger, exception, name);
            }

            // A loop that had worked for a while met something new: try again soon. One that fails at once waits longer
            // each time, and logs less.
            if (Environment.TickCount64 - began > LongestPause.TotalMilliseconds)
                pause = ShortestPause;
            await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    private async Task SendFastPathAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        var batch = new List<OutboxMessage>(options.BatchSize);
        var lanes = new PriorityBatcher(feed.Reader, options.BatchSize);
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
                while (broker.IsReady && lanes.Take(batch, _sendableAge))
                    await SendOfferedAsync(publisher, batch, drain.Token);
                return;
            }

            if (!lanes.Take(batch, _sendableAge))
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
        if (!_slow.IsEmpty)
            MoveToTheLane(batch);
        if (batch.Count > 0)
            await SendAsync(publisher, batch, cancellationToken);
    }

    private async Task SendAsync(
        RelayPublisher publisher,
        List<OutboxMessage> batch,
        CancellationToken cancellationToken
    )
    {
        var outcomes = await publisher.PublishAsync(batch, cancellationToken);
        Failpoint.Hit("relay.after_confirm", Outside.Broker);
        Learn(batch, outcomes, isTrial: false);
        List<PublishFailure>? publishFailures = null;
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i].Status == PublishStatus.Confirmed)
                _confirmed.Writer.TryWrite(batch[i].Id);
            else if (outcomes[i].Status != PublishStatus.Unsent)
                (publishFailures ??= []).Add(FailureOf(batch[i], outcomes[i]));
        }

        if (publishFailures is not null)
            await OutboxQueries.DeferAsync(database, publishFailures, cancellationToken);
    }

    private async Task CleanUpAsync(CancellationToken stopping)
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
                metrics.Published(ids.Count, "fast path");
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

    private async Task PollAsync(RelayPublisher publisher, CancellationToken stopping)
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

    // One batch is with the broker while the other is taken or committed: 15,700 rows a second where one poller alone
    // made 10,900 in the same quarter of an hour (docs/performance.md).
    private async Task HelpPollAsync(RelayPublisher publisher, CancellationToken stopping)
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
        Failpoint.Hit("relay.before_open", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(stopping);
        // An idle relay asks one cheap question now and then: no transaction, no lock, one round trip.
        if (!isMoreKnown && await OutboxQueries.NextDueAsync(connection, stopping) is var next && next != TimeSpan.Zero)
            return UntilNextLook(next);

        await using var transaction = await connection.BeginTransactionAsync(stopping);
        var rows = await OutboxQueries.TakeAsync(connection, options.BatchSize, stopping);
        if (rows.Count == 0)
        {
            await transaction.RollbackAsync(stopping);
            // Due, and yet not to be had: another relay holds the rows. Asking at once again would be spinning.
            return HeldElsewhere;
        }

        var (waiting, fresh) = (new List<PublishFailure>(), new List<OutboxMessage>());
        foreach (var row in _slow.IsEmpty ? [] : rows)
        {
            if (!_slow.IsOnList(row, out var wait, out var reason))
                continue;
            waiting.Add(row.LastError is null ? PublishFailure.Later(row) : PublishFailure.Waiting(row, wait, reason));
            if (row.LastError is null)
                fresh.Add(row);
        }

        var taken = rows.Count;
        if (waiting.Count > 0)
            rows = [.. rows.Except(waiting.Select(w => w.Message))];
        if (!await SendTakenAsync(publisher, connection, rows, waiting, isTrial: false, stopping))
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
        fresh.ForEach(row => _slow.Offer(row, age));
        return taken >= options.BatchSize ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1);
    }

    // Publishes rows that were taken out of the table, and puts back what was not sent. False when nothing was sent
    // because the broker is away: the transaction is to be rolled back.
    private async Task<bool> SendTakenAsync(
        RelayPublisher publisher,
        NpgsqlConnection connection,
        List<OutboxMessage> rows,
        List<PublishFailure> failures,
        bool isTrial,
        CancellationToken stopping
    )
    {
        var sent = 0;
        if (rows.Count > 0)
        {
            var outcomes = await publisher.PublishAsync(rows, stopping);
            Failpoint.Hit("relay.after_poll_confirm", Outside.Broker);
            if (Array.TrueForAll(outcomes, o => o.Status == PublishStatus.Unsent))
                return false;
            Learn(rows, outcomes, isTrial);
            var failed = rows.Zip(outcomes)
                .Where(p => p.Second.Status != PublishStatus.Confirmed)
                .Select(p => FailureOf(p.First, p.Second))
                .ToArray();
            failures.AddRange(failed);
            sent = rows.Count - failed.Length;
        }

        if (failures.Count > 0)
            await OutboxQueries.PutBackAsync(connection, failures, CancellationToken.None);
        metrics.Published(sent, "poller");
        return true;
    }

    // Apart from all others: what is sent here may take the whole confirm time-out.
    private async Task SendLaneAsync(RelayPublisher publisher, CancellationToken stopping)
    {
        while (true)
        {
            var trial = await _slow.NextAsync(stopping);
            if (!broker.IsReady)
                await broker.OpenAsync(stopping);
            if (trial is { } destination)
                await TryAsync(publisher, destination, stopping);
            var batch = _slow.TakeOffered(options.BatchSize, _sendableAge);
            if (batch.Count > 0)
                await SendAsync(publisher, batch, stopping);
        }
    }

    private async Task TryAsync(RelayPublisher publisher, Destination destination, CancellationToken stopping)
    {
        await using var connection = await database.OpenConnectionAsync(stopping);
        await using var transaction = await connection.BeginTransactionAsync(stopping);
        var rows = await OutboxQueries.TakeOneAsync(connection, destination, stopping);
        if (rows.Count == 0 || !await SendTakenAsync(publisher, connection, rows, [], isTrial: true, stopping))
        {
            await transaction.RollbackAsync(stopping);
            _slow.Miss(destination);
            return;
        }

        await transaction.CommitAsync(CancellationToken.None);
        // If it got through, the others are due about now.
        feed.WakePoller();
    }

    private void MoveToTheLane(List<OutboxMessage> batch) =>
        batch.RemoveAll(message =>
        {
            if (!_slow.Contains(message))
                return false;
            // Its lease began when it was written, and not now.
            _slow.Offer(message, TimedId.AgeOf(message.Id));
            return true;
        });

    private void Learn(IReadOnlyList<OutboxMessage> batch, PublishOutcome[] outcomes, bool isTrial)
    {
        foreach (var (destination, reason) in _slow.Learn(batch, outcomes, isTrial))
        {
            if (reason is null)
                BrokerLog.DestinationBack(logger, destination.Exchange);
            else
                BrokerLog.DestinationSlow(logger, destination.Exchange, reason);
        }
    }

    // Of a destination that takes nothing, rows are due after its next trial, and not by their own age. The error says
    // that the row was sent.
    private PublishFailure FailureOf(OutboxMessage message, PublishOutcome outcome)
    {
        var failure = PublishFailure.Of(message, outcome, options.MaxAttempts);
        // Its error is that of an earlier time.
        if (outcome.Status == PublishStatus.Unsent)
            return failure;
        Report(failure);
        if (outcome.Status is not (PublishStatus.Full or PublishStatus.Silent))
            return failure;
        return failure with
        {
            Error = failure.Error ?? "the broker did not confirm it in time",
            Wait = _slow.IsOnList(message, out var wait, out _) ? wait : failure.Wait,
        };
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _slow.Dispose();
        base.Dispose();
    }

    // Every process sees the same next row. Of many each comes a little later than the last one, or all would be there
    // at once for it; the first takes what is due, the others find the next.
    private TimeSpan UntilNextLook(TimeSpan? next)
    {
        var look = fleet.Pace(SharePerLook, options.PollInterval, LongestLook);
        return next < look ? next.Value + (SharePerDue * 2 * (fleet.Processes - 1) * Random.Shared.NextDouble()) : look;
    }

    private void Report(PublishFailure publishFailure)
    {
        if (publishFailure.Dead)
        {
            BrokerLog.Quarantined(
                logger,
                publishFailure.Message.MessageId,
                publishFailure.Message.Exchange,
                publishFailure.Attempts,
                publishFailure.Error ?? ""
            );
            metrics.Quarantined();
        }
        else if (publishFailure.Error is { } error)
        {
            BrokerLog.Refused(
                logger,
                publishFailure.Message.MessageId,
                publishFailure.Message.Exchange,
                publishFailure.Attempts,
                error
            );
            metrics.Refused();
        }
    }
}
