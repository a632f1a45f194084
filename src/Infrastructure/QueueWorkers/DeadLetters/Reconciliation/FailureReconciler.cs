using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.Leases;
using QueueWorkers.Messaging;
using RabbitMQ.Client;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>
/// Makes index and queue agree, one queue at a time and by one process at a time:
/// 1. Restored messages are put back and confirmed, then their rows say so. Dying in between puts a second copy back,
///    which is counted as a copy.
/// 2. The queue's messages are held and compared with the rows, window by window: bodies of one window are in memory. A message without a row gets one, and where no step has
///    recorded it, its step counts as failed from now on
///    (<see cref="DeadLetterRecorder"/>). Dying here returns the messages.
/// 3. A message whose row says that it was sent again (its outbox row is committed), put away, or done by another copy
///    is acked; then the row says that it is out. Dying in between leaves a row whose message is gone: 4 fixes it.
///    Of several copies of one message all but one are acked while that one is held.
/// 4. A row whose message is not there, long enough after it was dead-lettered, is closed: done when another copy has
///    done the work, out when it was to be taken out, else gone.
/// 5. Everything else goes back with one nack.
/// </summary>
public sealed class FailureReconciler(
    NpgsqlDataSource database,
    [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker,
    DeadLetterRecorder deadLetterRecorder,
    FailureOptions options,
    ILogger<FailureReconciler> logger
)
{
    /// <summary>
    /// The key of the connection that looks: not the relay's, which delivers nothing while the broker blocks
    /// publishers.
    /// </summary>
    public const string Connection = "dead-letters";

    // Longer than the broker takes to notice that a silent process is gone and to give back what it held: its successor
    // must find the whole queue.
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(30);

    private static readonly CreateChannelOptions WithConfirms = new(
        publisherConfirmationsEnabled: true,
        publisherConfirmationTrackingEnabled: true,
        outstandingPublisherConfirmationsRateLimiter: null
    );

    /// <summary>The most bytes of bodies that a look has held in memory at once.</summary>
    internal long MostBytes { get; private set; }

    /// <summary>
    /// Whether this is a dead-letter queue, of any step there ever was. Whoever takes the name from outside asks first:
    /// a look at a step's own queue would index its fresh messages as failures.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async Task<bool> KnowsAsync(string queue, CancellationToken cancellationToken) =>
        (await DeadLetterQueues.ReadAsync(database, cancellationToken)).Contains(queue, StringComparer.Ordinal);

    /// <summary>Looks through a queue, which must be a dead-letter queue.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="most">How many messages to hold, those at the head; null for as many as the options allow.</param>
    /// <returns>What was found and done; null when another process is at this queue right now.</returns>
    /// <exception cref="RabbitMQ.Client.Exceptions.RabbitMQClientException">The broker cannot be reached.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async Task<ReconcileResult?> LookAsync(string queue, CancellationToken cancellationToken, int? most = null)
    {
        Failpoint.Hit("deadletter.before_lock", Outside.Database);
        await using var lease = await RowLease.TryTakeAsync(database, $"failures {queue}", Alone, cancellationToken);
        if (lease is null)
            return null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            Failpoint.Hit("deadletter.before_open", Outside.Database);
            await using var connection = await database.OpenConnectionAsync(either.Token);
            var result = await LookAloneAsync(
                connection,
                lease,
                queue,
                Math.Min(most ?? options.LookLimit, options.LookLimit),
                either.Token
            );
            Failpoint.Hit("deadletter.before_unlock", Outside.Database);
            return result;
        }
        catch (OperationCanceledException)
            when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Another process is at this queue by now, or will be: what was not finished here it does.
            FailureLog.LookLost(logger, queue);
            return null;
        }
    }

    private async Task<ReconcileResult> LookAloneAsync(
        NpgsqlConnection connection,
        RowLease lease,
        string queue,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var amqp = await broker.OpenAsync(cancellationToken);
        var putBack = await PutBackAsync(connection, amqp, queue, cancellationToken);
        var began = await ReconcilerSql.NowAsync(connection, cancellationToken);
        await using var look = await QueuePeek.OpenAsync(
            amqp,
            queue,
            limit,
            await ReconcilerSql.DeadLetteredAsync(connection, queue, cancellationToken),
            cancellationToken
        );
        var found = new Dictionary<(Guid, int), Found>();
        var unknown = 0;
        while (await look.NextAsync(cancellationToken) is { Count: > 0 } window)
            unknown += await TakeInAsync(
                connection,
                queue,
                window,
                found,
                // Not in a short look at the head of the queue, of which a large redrive needs many.
                settles: limit == options.LookLimit,
                cancellationToken
            );
        MostBytes = Math.Max(MostBytes, look.MostBytes);

        Found[] outdated =
        [
            .. found.Values.Where(f => f.Row is { State: not (FailureState.Failed or FailureState.Gone) }),
        ];
        await look.RemoveAsync(outdated.SelectMany(f => f.Tags), cancellationToken);
        var extra = found.Values.Except(outdated).SelectMany(f => f.Tags.Skip(1)).ToArray();
        await look.RemoveAsync(extra, cancellationToken);
        await look.EndAsync(cancellationToken);

        await ReconcilerSql.MarkRemovedAsync(connection, [.. outdated.Select(f => f.Row!.Value.Id)], cancellationToken);
        await NoteCopiesAsync(connection, queue, [.. found.Values.Except(outdated)], cancellationToken);
        // What stalled for long may have a successor, which has put messages back since: then this look says nothing
        // about what is missing.
        var closed =
            look.IsComplete && await lease.RenewAsync(cancellationToken)
                ? await CloseMissingAsync(
                    connection,
                    queue,
                    began,
                    [.. found.Values.Select(f => f.Message)],
                    cancellationToken
                )
                : 0;

        var removed = outdated.Sum(f => f.Tags.Count);
        if (removed > 0)
            FailureLog.Removed(logger, removed, queue);
        if (extra.Length > 0)
            FailureLog.CopiesRemoved(logger, extra.Length, queue);
        removed += extra.Length;
        if (unknown > 0)
            FailureLog.Found(logger, unknown, queue);
        return new ReconcileResult(queue, look.Count - removed, unknown, removed, closed, putBack, look.IsComplete);
    }

    // Compares one window with the rows, and keeps of its messages what the end of the look needs: no bodies. Returns
    // how many had no row.
    private async Task<int> TakeInAsync(
        NpgsqlConnection connection,
        string queue,
        IReadOnlyList<HeldMessage> window,
        Dictionary<(Guid, int), Found> found,
        bool settles,
        CancellationToken cancellationToken
    )
    {
        var fresh = new List<DeadLetter>();
        foreach (
            var copies in window
                .Select(m => (m.Tag, Message: DeadLetter.Of(queue, m.Properties, m.Body)))
                .GroupBy(m => (m.Message.Identity, m.Message.Generation))
        )
        {
            if (!found.TryGetValue(copies.Key, out var known))
            {
                var message = copies.First().Message with { Copies = copies.Count() };
                fresh.Add(message);
                found[copies.Key] = known = new Found(message.WithoutContent());
            }

            known.Tags.AddRange(copies.Select(m => m.Tag));
        }

        var rows = await ReconcilerSql.RowsAsync(connection, queue, fresh, cancellationToken);
        foreach (var message in fresh)
        {
            // Somebody moved it away and back again where its row says that it is gone: the upsert opens the row again.
            if (rows.TryGetValue((message.Identity, message.Generation), out var row) && row.State != FailureState.Gone)
                found[(message.Identity, message.Generation)].Row = row;
        }

        var (unknown, failed) = (
            fresh.FindAll(m => found[(m.Identity, m.Generation)].Row is null),
            fresh.FindAll(m => found[(m.Identity, m.Generation)].Row is { State: FailureState.Failed })
        );
        await AddAsync(connection, unknown, cancellationToken);
        await CloseDoneAsync(
            connection,
            queue,
            [.. failed.Select(m => found[(m.Identity, m.Generation)])],
            cancellationToken
        );
        if (settles)
            await SettleAsync(connection, failed, cancellationToken);
        return unknown.Count;
    }

    // In how many copies a message was dead-lettered is known when all of the queue has been seen.
    private static async Task NoteCopiesAsync(
        NpgsqlConnection connection,
        string queue,
        IReadOnlyList<Found> found,
        CancellationToken cancellationToken
    )
    {
        var copies = new List<(Guid Id, int Copies)>();
        Found[] grown = [.. found.Where(f => f.Row is null && f.Tags.Count > f.Message.Copies)];
        if (grown.Length > 0)
        {
            var rows = await ReconcilerSql.RowsAsync(
                connection,
                queue,
                [.. grown.Select(f => f.Message)],
                cancellationToken
            );
            foreach (var f in grown)
            {
                if (rows.TryGetValue((f.Message.Identity, f.Message.Generation), out var row))
                    copies.Add((row.Id, f.Tags.Count));
            }
        }

        // One was there before; a worker that dead-letters a message has not looked, and notes none.
        foreach (var f in found.Where(f => f.Row is { State: FailureState.Failed } && f.Tags.Count > 1))
            copies.Add((f.Row!.Value.Id, Math.Max(f.Row.Value.Copies, 1) + f.Tags.Count - 1));
        await ReconcilerSql.SetCopiesAsync(connection, copies, cancellationToken);
    }

    private async Task AddAsync(
        NpgsqlConnection connection,
        List<DeadLetter> unknown,
        CancellationToken cancellationToken
    )
    {
        if (unknown.Count == 0)
            return;
        Failpoint.Hit("deadletter.before_add", Outside.Database);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var unrecorded = await DeadLetterRecorder.FindAsync(connection, unknown, isLate: false, cancellationToken);
        await FailureRows.WriteAsync(connection, unknown, cancellationToken);
        // No step has said that it is dead-lettered: the broker moved the message, or the worker could not write when
        // it gave it up. The subject would wait for ever without anybody seeing why.
        var settled = await deadLetterRecorder.WriteAsync(connection, unrecorded, cancellationToken);
        Failpoint.Hit("deadletter.before_commit_added", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_commit_added", Outside.Database);
        if (settled > 0)
            FailureLog.Settled(logger, settled);
    }

    // Indexed before, by a version or a process that did not record the step.
    private async Task SettleAsync(
        NpgsqlConnection connection,
        List<DeadLetter> known,
        CancellationToken cancellationToken
    )
    {
        if (known.Count == 0)
            return;
        Failpoint.Hit("deadletter.before_late_record", Outside.Database);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var unrecorded = await DeadLetterRecorder.FindAsync(connection, known, isLate: true, cancellationToken);
        var settled = await deadLetterRecorder.WriteAsync(connection, unrecorded, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_late_record", Outside.Database);
        if (settled > 0)
            FailureLog.Settled(logger, settled);
    }

    // A relay that was not sure of a publish sends a second copy: one of the two may be done although the other failed.
    private async Task CloseDoneAsync(
        NpgsqlConnection connection,
        string queue,
        IReadOnlyList<Found> failed,
        CancellationToken cancellationToken
    )
    {
        var done = await ReconcilerSql.CloseDoneAsync(
            connection,
            [.. failed.Select(f => f.Row!.Value.Id)],
            cancellationToken
        );
        if (done.Count == 0)
            return;
        foreach (var f in failed.Where(f => done.Contains(f.Row!.Value.Id)))
            f.Row = f.Row!.Value with { State = FailureState.Redriven };
        FailureLog.DoneElsewhere(logger, done.Count, queue);
    }

    private async Task<int> CloseMissingAsync(
        NpgsqlConnection connection,
        string queue,
        DateTimeOffset began,
        IReadOnlyList<DeadLetter> found,
        CancellationToken cancellationToken
    )
    {
        var missing = await ReconcilerSql.CloseMissingAsync(
            connection,
            queue,
            began - options.Grace,
            found,
            cancellationToken
        );
        if (missing.Done > 0)
            FailureLog.DoneElsewhere(logger, missing.Done, queue);
        if (missing.Gone > 0)
            FailureLog.Gone(logger, missing.Gone, queue);
        return missing.Done + missing.Gone;
    }

    private async Task<int> PutBackAsync(
        NpgsqlConnection connection,
        IConnection amqp,
        string queue,
        CancellationToken cancellationToken
    )
    {
        var restored = await ReconcilerSql.RestoredAsync(connection, queue, cancellationToken);
        if (restored.Count == 0)
            return 0;
        Failpoint.Hit("deadletter.before_channel", Outside.Broker);
        await using var channel = await amqp.CreateChannelAsync(WithConfirms, cancellationToken);
        foreach (var message in restored)
        {
            Failpoint.Hit("deadletter.before_put_back", Outside.Broker);
            await channel.BasicPublishAsync(
                queue,
                "",
                mandatory: true,
                message.Properties(),
                message.Body,
                cancellationToken
            );
            Failpoint.Hit("deadletter.after_put_back", Outside.Broker);
        }

        await ReconcilerSql.MarkPutBackAsync(connection, [.. restored.Select(m => m.Id)], cancellationToken);
        FailureLog.PutBack(logger, restored.Count, queue);
        return restored.Count;
    }

    // A message in the queue, without its content: its copies there, and its row if it had one.
    private sealed class Found(DeadLetter message)
    {
        public DeadLetter Message => message;

        public List<ulong> Tags { get; } = [];

        public IndexRow? Row { get; set; }
    }
}
