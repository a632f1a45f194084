using Npgsql;
using NpgsqlTypes;
using Orders.Contracts;
using Orders.Infrastructure.Telemetry;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Cancelling;

/// <summary>
/// Cancels an order, in one transaction: the mark in its progress, the steps that wait for another attempt or are
/// dead-lettered, the news for the workers, and the message on which every step undoes what it did. Dying before the
/// commit leaves an order that is not cancelled and a client without an answer, who asks again; after it everything
/// follows by itself.
/// Completed and rejected orders cannot be cancelled: the goods are on their way, or there is nothing to cancel.
/// </summary>
public sealed class OrderCancellation(
    NpgsqlDataSource database,
    RelayFeed relay,
    PersonalDataHash personal,
    OrderMetrics? metrics = null
)
{
    // Locked as every commit of a step locks it: whoever comes second sees what the first has written. Whose order it is
    // is asked first: another client's costs the same as none.
    internal const string Lock = $"""
        select p.completed_at is not null, p.rejected_at is not null, p.cancelled_at is not null, o.customer_email,
            {WebhookNotifier.IsAnybody}
        from order_progress p join orders o on o.id = p.order_id
            where p.order_id = $1 and exists (
                select from orders where id = $1 and ($2::text is null or client_id = $2))
            for no key update of p
        """;

    // What is uncertain stays so, and dead-lettered: cancelling does not tell whether a mail went out.
    private static readonly string Mark = $"""
        update order_progress set cancelled_at = now(), failed = failed & ~ended.bits
        from (select coalesce(bit_or(c.bit), 0) as bits from step_runs r join step_catalogue c using (step)
            where r.subject_id = $1 and r.status in ({StepStatus.Failed:D}, {StepStatus.Expired:D})
                and coalesce(r.own_status, r.status) <> {StepStatus.Uncertain:D}) ended
        where order_id = $1 returning cancelled_at
        """;

    private static readonly string EndSteps = $"""
        update step_runs r set status = {StepStatus.Cancelled:D}, own_status = null, next_attempt_at = null,
            finished_at = coalesce(r.finished_at, now())
        from (select s.subject_id, s.step from step_runs s where s.subject_id = $1
                and s.status in ({StepStatus.Retrying:D}, {StepStatus.Failed:D}, {StepStatus.Expired:D})
                and coalesce(s.own_status, s.status) <> {StepStatus.Uncertain:D}
                and not exists (select from effects e where e.subject_id = s.subject_id and e.effect = s.step
                    and e.state = {EffectState.Done:D})
            order by s.step for no key update) l
        where r.subject_id = l.subject_id and r.step = l.step
        """;

    private const string Tell =
        "insert into cancelled_subjects (subject_id, at) values ($1, now()) on conflict do nothing";

    /// <summary>Cancels an order. Asking again changes nothing.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="clientId">Who asks; null for an operator, who may cancel anybody's.</param>
    /// <param name="cancellationToken">Ends the wait; what was begun is committed or not, as a whole.</param>
    /// <param name="audit">Who did it, written in the same transaction; only if the order is cancelled now.</param>
    /// <exception cref="NpgsqlException">The database refused or was not there; asking again finds out.</exception>
    public async Task<CancelOutcome> CancelAsync(
        Guid orderId,
        string? clientId,
        CancellationToken cancellationToken,
        AuditEntry? audit = null
    )
    {
        Failpoint.Hit("api.before_cancel", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (outcome, messages) = await CancelAsync(connection, orderId, clientId, cancellationToken);
        if (outcome != CancelOutcome.Cancelled)
            return outcome;
        if (audit is not null)
            await AuditLog.WriteAsync(connection, audit, CancellationToken.None);
        Failpoint.Hit("api.before_commit_cancel", Outside.Database);
        await transaction.CommitAsync(CancellationToken.None);
        Failpoint.Hit("api.after_commit_cancel", Outside.Database);
        metrics?.Cancelled();
        foreach (var committed in messages)
            relay.Offer(committed);
        return CancelOutcome.Cancelled;
    }

    /// <summary>The same in the caller's transaction, which writes the audit record and offers the messages.</summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="orderId">The order.</param>
    /// <param name="clientId">Who asks; null for an operator, who may cancel anybody's.</param>
    /// <param name="cancellationToken">Ends the wait for the order's lock.</param>
    /// <returns>What came of it, and the messages that were written into the outbox.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there; asking again finds out.</exception>
    public async Task<(CancelOutcome Outcome, IReadOnlyList<OutboxMessage> Messages)> CancelAsync(
        NpgsqlConnection connection,
        Guid orderId,
        string? clientId,
        CancellationToken cancellationToken
    )
    {
        var (ended, email, hasWebhooks) = await StateAsync(connection, orderId, clientId, cancellationToken);
        if (ended is { } outcome)
            return (outcome, []);

        var cancelledAt = await MarkAsync(connection, orderId);
        var message = OutgoingMessage.Create(
            new OrderCancelled(orderId, cancelledAt),
            orderId,
            activity: System.Diagnostics.Activity.Current,
            priority: OrderPriority.Cancellation,
            keys: OrderKeys.Of(personal, email)
        );
        OutboxMessage[] messages =
        [
            message,
            .. hasWebhooks
                ? await WebhookNotifier.NotifyAsync(connection, [new(orderId, WebhookEvents.Cancelled, cancelledAt)])
                : [],
        ];
        await OutboxWriter.InsertAsync(connection, messages, CancellationToken.None);
        return (CancelOutcome.Cancelled, messages);
    }

    private static async Task<(CancelOutcome? Ended, string Email, bool HasWebhooks)> StateAsync(
        NpgsqlConnection connection,
        Guid orderId,
        string? clientId,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Lock, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = orderId });
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)clientId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        Failpoint.Hit("api.before_lock_order", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return (CancelOutcome.NotFound, "", false);
        CancelOutcome? ended =
            reader.GetBoolean(2) ? CancelOutcome.AlreadyCancelled
            : reader.GetBoolean(1) ? CancelOutcome.Rejected
            : reader.GetBoolean(0) ? CancelOutcome.Completed
            : null;
        return (ended, reader.GetString(3), reader.GetBoolean(4));
    }

    private static async Task<DateTimeOffset> MarkAsync(NpgsqlConnection connection, Guid orderId)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[Mark, EndSteps, Tell])
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = orderId } } }
            );
        Failpoint.Hit("api.before_mark_cancelled", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.ReadAsync();
        var cancelledAt = reader.GetFieldValue<DateTimeOffset>(0);
        // To the end: a fault of the later statements must reach the caller.
        while (await reader.NextResultAsync()) { }

        Failpoint.Hit("api.after_mark_cancelled", Outside.Database);
        return cancelledAt;
    }
}

/// <summary>The answer to a cancellation.</summary>
public enum CancelOutcome
{
    /// <summary>Cancelled now; what had been done is being undone.</summary>
    Cancelled,

    /// <summary>It was cancelled before.</summary>
    AlreadyCancelled,

    /// <summary>There is no such order, or it belongs to somebody else.</summary>
    NotFound,

    /// <summary>Every step is done: the goods are on their way.</summary>
    Completed,

    /// <summary>The order was refused: there is nothing to cancel.</summary>
    Rejected,
}
