using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Leases;
using Orders.Infrastructure.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Orders.Infrastructure.Failures;

/// <summary>
/// Makes index and queue agree, one queue at a time and by one process at a time:
/// 1. Restored messages are put back and confirmed, then their rows say so. Dying in between puts a second copy back, which is counted as a copy.
/// 2. The queue's messages are held and compared with the rows. A message without a row gets one, and where no step has recorded it, its step counts as failed from now on
///    (<see cref="RecordParked"/>). Dying here returns the messages.
/// 3. A message whose row says that it was sent again (its outbox row is committed) or put away is acked; then the row says that it is out. Dying in between leaves a row whose message is gone: 4 mends it.
/// 4. A row whose message is not there, long enough after it was parked, is closed: done when another copy has done the work, out when it was to be taken out, else gone.
/// 5. Everything else goes back with one nack.
/// </summary>
public sealed class FailureReconciler(
    NpgsqlDataSource database, [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker, RecordParked recordParked, FailureOptions options, ILogger<FailureReconciler> logger)
{
    /// <summary>The key of the connection that looks: not the relay's, which delivers nothing while the broker blocks publishers.</summary>
    public const string Connection = "parked";

    // Longer than the broker takes to notice that a silent process is gone and to give back what it held: its successor must find the whole queue.
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(30);

    private static readonly CreateChannelOptions WithConfirms = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null);

    /// <summary>Looks through a queue.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="most">How many messages to hold, those at the head; null for as many as the options allow.</param>
    /// <returns>What was found and done; null when another process is at this queue right now.</returns>
    /// <exception cref="RabbitMQ.Client.Exceptions.RabbitMQClientException">The broker cannot be reached.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async Task<LookResult?> LookAsync(string queue, CancellationToken cancellationToken, int? most = null)
    {
        Failpoint.Hit("parked.before_lock", Outside.Database);
        await using var lease = await RowLease.TryTakeAsync(database, $"failures {queue}", Alone, cancellationToken);
        if (lease is null)
            return null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            Failpoint.Hit("parked.before_open", Outside.Database);
            await using var connection = await database.OpenConnectionAsync(either.Token);
            var result = await LookAloneAsync(connection, lease, queue, Math.Min(most ?? options.LookLimit, options.LookLimit), either.Token);
            Failpoint.Hit("parked.before_unlock", Outside.Database);
            return result;
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Another process is at this queue by now, or will be: what was not finished here it does.
            FailureLog.LookLost(logger, queue);
            return null;
        }
    }

    private async Task<LookResult> LookAloneAsync(NpgsqlConnection connection, RowLease lease, string queue, int limit, CancellationToken cancellationToken)
    {
        var amqp = await broker.OpenAsync(cancellationToken);
        var putBack = await PutBackAsync(connection, amqp, queue, cancellationToken);
        var began = await ReconcilerSql.NowAsync(connection, cancellationToken);
        await using var look = await QueueLook.OpenAsync(amqp, queue, limit, await ReconcilerSql.ParkedAsync(connection, queue, cancellationToken), cancellationToken);
        var found = look.Messages.Select(m => (Delivery: m, Message: ParkedMessage.Of(queue, m.BasicProperties, m.Body.ToArray())))
            .GroupBy(m => (m.Message.Identity, m.Message.Generation)).Select(g => new Found(g.First().Message with { Copies = g.Count() }, [.. g.Select(m => m.Delivery)])).ToArray();

        var rows = await ReconcilerSql.RowsAsync(connection, queue, [.. found.Select(f => f.Message)], cancellationToken);
        var (unknown, known) = Split(found, rows);
        await AddAsync(connection, unknown, cancellationToken);
        // Not in a short look at the head of the queue, of which a large redrive needs many.
        if (limit == options.LookLimit)
            await SettleAsync(connection, [.. known.Where(k => k.Row.State == FailureState.Parked).Select(k => k.Found.Message)], cancellationToken);

        var outdated = known.Where(k => k.Row.State is not (FailureState.Parked or FailureState.Gone)).ToArray();
        await look.RemoveAsync(outdated.SelectMany(k => k.Found.Deliveries), cancellationToken);
        await look.EndAsync(cancellationToken);

        await ReconcilerSql.MarkRemovedAsync(connection, [.. outdated.Select(k => k.Row.Id)], cancellationToken);
        await ReconcilerSql.SetCopiesAsync(connection, [.. known.Where(k => k.Row.State == FailureState.Parked && k.Row.Copies != k.Found.Message.Copies).Select(k => (k.Row.Id, k.Found.Message.Copies))], cancellationToken);
        // What stalled for long may have a successor, which has put messages back since: then this look says nothing about what is missing.
        var closed = look.IsComplete && await lease.RenewAsync(cancellationToken) ? await CloseMissingAsync(connection, queue, began, found, cancellationToken) : 0;

        var removed = outdated.Sum(k => k.Found.Deliveries.Count);
        if (removed > 0)
            FailureLog.Removed(logger, removed, queue);
        if (unknown.Count > 0)
            FailureLog.Found(logger, unknown.Count, queue);
        return new LookResult(queue, look.Messages.Count - removed, unknown.Count, removed, closed, putBack, look.IsComplete);
    }

    private static (List<ParkedMessage> Unknown, List<(Found Found, IndexRow Row)> Known) Split(Found[] found, Dictionary<(Guid, int), IndexRow> rows)
    {
        var (unknown, known) = (new List<ParkedMessage>(), new List<(Found, IndexRow)>());
        foreach (var f in found)
        {
            if (!rows.TryGetValue((f.Message.Identity, f.Message.Generation), out var row))
                unknown.Add(f.Message);
            else if (row.State == FailureState.Gone)
                // Somebody moved it away and back again: the upsert opens its row again.
                unknown.Add(f.Message);
            else
                known.Add((f, row));
        }

        return (unknown, known);
    }

    private async Task AddAsync(NpgsqlConnection connection, List<ParkedMessage> unknown, CancellationToken cancellationToken)
    {
        Failpoint.Hit("parked.before_add", Outside.Database);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await FailureRows.WriteAsync(connection, unknown, cancellationToken);
        // No step has said that it is parked: the broker moved the message, or the worker could not write when it gave it up. The order would wait for ever without anybody seeing why.
        var settled = await recordParked.WriteAsync(connection, unknown, isLate: false, cancellationToken);
        Failpoint.Hit("parked.before_commit_added", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("parked.after_commit_added", Outside.Database);
        if (settled > 0)
            FailureLog.Settled(logger, settled);
    }

    // Indexed before, by a version or a process that did not record the step.
    private async Task SettleAsync(NpgsqlConnection connection, List<ParkedMessage> known, CancellationToken cancellationToken)
    {
        if (known.Count == 0)
            return;
        Failpoint.Hit("parked.before_late_record", Outside.Database);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var settled = await recordParked.WriteAsync(connection, known, isLate: true, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("parked.after_late_record", Outside.Database);
        if (settled > 0)
            FailureLog.Settled(logger, settled);
    }

    private async Task<int> CloseMissingAsync(NpgsqlConnection connection, string queue, DateTimeOffset began, Found[] found, CancellationToken cancellationToken)
    {
        var missing = await ReconcilerSql.CloseMissingAsync(connection, queue, began - options.Grace, [.. found.Select(f => f.Message)], cancellationToken);
        if (missing.Done > 0)
            FailureLog.DoneElsewhere(logger, missing.Done, queue);
        if (missing.Gone > 0)
            FailureLog.Gone(logger, missing.Gone, queue);
        return missing.Done + missing.Gone;
    }

    private async Task<int> PutBackAsync(NpgsqlConnection connection, IConnection amqp, string queue, CancellationToken cancellationToken)
    {
        var restored = await ReconcilerSql.RestoredAsync(connection, queue, cancellationToken);
        if (restored.Count == 0)
            return 0;
        Failpoint.Hit("parked.before_channel", Outside.Broker);
        await using var channel = await amqp.CreateChannelAsync(WithConfirms, cancellationToken);
        foreach (var message in restored)
        {
            Failpoint.Hit("parked.before_put_back", Outside.Broker);
            await channel.BasicPublishAsync(queue, "", mandatory: true, message.Properties(), message.Body, cancellationToken);
            Failpoint.Hit("parked.after_put_back", Outside.Broker);
        }

        await ReconcilerSql.MarkPutBackAsync(connection, [.. restored.Select(m => m.Id)], cancellationToken);
        FailureLog.PutBack(logger, restored.Count, queue);
        return restored.Count;
    }

    private sealed record Found(ParkedMessage Message, IReadOnlyList<BasicDeliverEventArgs> Deliveries);
}
