using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// How the loops of a relay send a batch and what follows from its outcomes. The loops share one, and with it the list
/// of the destinations that take nothing.
/// </summary>
internal sealed class RelaySends(
    NpgsqlDataSource database,
    OutboxOptions options,
    ConfirmedRows confirmed,
    RelayMetrics metrics,
    ILogger<Relay> logger
) : IDisposable
{
    /// <summary>Destinations that take nothing.</summary>
    public SlowDestinations Slow { get; } = new(DatabaseClock.Provider);

    /// <summary>The same, as all relays share it.</summary>
    public SharedTrials Trials { get; } = new(database, options.ConfirmTimeout);

    // What this process has learned and has not yet shared, or done in the table.
    private readonly ConcurrentQueue<News> _news = new();
    private readonly SemaphoreSlim _sharing = new(1, 1);

    /// <summary>
    /// From this age on a message offered in memory is left to the poller: its lease would end before its confirm may
    /// be overdue, and two relays would send it.
    /// </summary>
    public TimeSpan SendableAge { get; } = OutboxTable.Lease - options.ConfirmTimeout;

    /// <summary>Publishes rows that are in memory, and lie in the table as well.</summary>
    public async Task SendAsync(
        RelayPublisher publisher,
        List<OutboxMessage> batch,
        string way,
        CancellationToken cancellationToken
    )
    {
        var outcomes = await PublishAsync(publisher, batch, way, cancellationToken);
        Failpoint.Hit("relay.after_confirm", Outside.Broker);
        Learn(batch, outcomes, isTrial: false);
        List<PublishFailure>? publishFailures = null;
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i].Status == PublishStatus.Confirmed)
                confirmed.Add(batch[i].Id);
            else if (outcomes[i].Status != PublishStatus.Unsent)
                (publishFailures ??= []).Add(FailureOf(batch[i], outcomes[i]));
        }

        if (publishFailures is not null)
        {
            await OutboxQueries.DeferAsync(database, publishFailures, cancellationToken);
            NoteStranded(publishFailures);
        }

        await ShareAsync(cancellationToken);
    }

    /// <summary>
    /// Tells the other relays what this one has learned: of a destination that takes nothing, and of one that is back,
    /// whose rows are made due. What a database that is away keeps from being told is told the next time; rows that it
    /// keeps from being made due are so by themselves (<see cref="SharedTrials.RowsWait"/>).
    /// </summary>
    public async Task ShareAsync(CancellationToken cancellationToken)
    {
        if (_news.IsEmpty || !await _sharing.WaitAsync(0, cancellationToken))
            return;
        try
        {
            await ShareNewsAsync(cancellationToken);
        }
        finally
        {
            _sharing.Release();
        }
    }

    private async Task ShareNewsAsync(CancellationToken cancellationToken)
    {
        var later = new List<News>();
        while (_news.TryPeek(out var news))
        {
            if (news.SlowBecause is { } reason)
                Slow.Share(
                    news.Destination,
                    await Trials.AddAsync(news.Destination, reason, SlowDestinations.FirstWait, cancellationToken)
                );
            else if (!news.IsKnown)
                await Trials.RemoveAsync(news.Destination, cancellationToken);
            _news.TryDequeue(out _);
            // Once, however it ends: the rows are due by themselves soon, and a release that takes too long each time
            // would keep the poller from all others.
            if (news.SlowBecause is null && !await Trials.ReleaseAsync(news.Destination, cancellationToken))
                later.Add(news with { IsKnown = true });
        }

        foreach (var news in later.Distinct())
            _news.Enqueue(news);
    }

    /// <summary>Learns from the other relays which destinations are back.</summary>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (Slow.IsEmpty)
            return;
        foreach (var destination in Slow.MissingIn(await SharedTrials.ReadAsync(connection, cancellationToken)))
            Forget(destination);
    }

    /// <summary>Takes over the destinations of the shared list that nobody tries any more.</summary>
    public async Task AdoptAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var (destination, reason) in await SharedTrials.AbandonedAsync(connection, cancellationToken))
        {
            if (Slow.Adopt(destination, reason))
                BrokerLog.DestinationSlow(logger, destination.Exchange, reason);
        }
    }

    /// <summary>
    /// Another relay has found a destination back. That one has made due what waited then; what this one may have put
    /// back since is made due with the next <see cref="ShareAsync"/>.
    /// </summary>
    public void Forget(Destination destination)
    {
        if (Slow.Forget(destination, out var hasPutBack))
            BrokerLog.DestinationBack(logger, destination.Exchange);
        if (hasPutBack)
            _news.Enqueue(new News(destination, SlowBecause: null, IsKnown: true));
    }

    /// <summary>
    /// Looks again at rows after their wait for a destination was committed. Found back in between, it is not coming
    /// back once more, and nobody else would make them due. Otherwise it is remembered for
    /// <see cref="Forget"/>.
    /// </summary>
    public void NoteStranded(IReadOnlyList<PublishFailure> written)
    {
        foreach (
            var destination in written
                .Where(w => w.Wait == SharedTrials.RowsWait)
                .Select(w => Destination.Of(w.Message))
                .Distinct()
                .Where(d => !Slow.NotePutBack(d))
        )
            _news.Enqueue(new News(destination, SlowBecause: null, IsKnown: true));
    }

    /// <summary>
    /// Publishes rows that were taken out of the table, and puts back what was not sent. False when nothing was sent
    /// because the broker is away: the transaction is to be rolled back.
    /// </summary>
    public async Task<bool> SendTakenAsync(
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
            var way = isTrial ? RelayMetrics.SlowLane : RelayMetrics.Poller;
            var outcomes = await PublishAsync(publisher, rows, way, stopping);
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
        metrics.Published(sent, RelayMetrics.Poller);
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Slow.Dispose();
        _sharing.Dispose();
    }

    // A batch of which the broker has answered nothing, because it is away, has no confirm time.
    private async Task<PublishOutcome[]> PublishAsync(
        RelayPublisher publisher,
        List<OutboxMessage> batch,
        string way,
        CancellationToken cancellationToken
    )
    {
        var began = Stopwatch.GetTimestamp();
        var outcomes = await publisher.PublishAsync(batch, cancellationToken);
        if (!Array.TrueForAll(outcomes, o => o.Status == PublishStatus.Unsent))
            metrics.Confirmed(began, batch.Count, way);
        return outcomes;
    }

    private void Learn(IReadOnlyList<OutboxMessage> batch, PublishOutcome[] outcomes, bool isTrial)
    {
        foreach (var (destination, reason) in Slow.Learn(batch, outcomes, isTrial))
        {
            _news.Enqueue(new News(destination, reason, IsKnown: false));
            if (reason is null)
                BrokerLog.DestinationBack(logger, destination.Exchange);
            else
                BrokerLog.DestinationSlow(logger, destination.Exchange, reason);
        }
    }

    // Of a destination that takes nothing, rows are due when it is back, and not by their own age. The error says that
    // the row was sent.
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
            Wait = Slow.Contains(message) ? SharedTrials.RowsWait : failure.Wait,
        };
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

    // That a destination is slow, or is back; known: the shared list says so already, and only rows are to be made due.
    private readonly record struct News(Destination Destination, string? SlowBecause, bool IsKnown);
}
