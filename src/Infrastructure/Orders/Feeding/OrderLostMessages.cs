using System.Data;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Topology;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Sends a step again what it should have had of all orders by now: the beginning of the work, what follows from a
/// rejection or undoes it, and what clients are to be told. Each batch is committed by itself; the messages have the ids that the originals had, so that a copy of one that is still
/// under way is dropped.
/// </summary>
public sealed class OrderLostMessages(NpgsqlDataSource database, RelayFeed relay, PersonalDataHash personal)
    : ILostMessages
{
    private const int Batch = 1000;

    private static readonly string Rejected = MessageName.ExchangeOf(typeof(StockRejected));

    /// <summary>
    /// The message types that are made again. A step that consumes another one loses what stands in its queue when that
    /// is deleted.
    /// </summary>
    public static IReadOnlyList<string> Types { get; } =
    [
        .. OrderFeed.Feedable,
        Rejected,
        MessageName.ExchangeOf(typeof(OrderCancelled)),
        MessageName.ExchangeOf(typeof(WebhookDue)),
    ];

    // Not what waits in the outbox for its next attempt, and not what an operator has to decide on.
    private static readonly string Undone = $"""
        select o.id, o.premium, o.created_at, o.release_at is not null as scheduled, c.consumes, o.customer_email
        from order_progress p join orders o on o.id = p.order_id join step_catalogue c on c.step = $1
        where p.order_id > $2 and p.cancelled_at is null and p.required & c.bit <> 0 and p.done & c.bit = 0
            and (o.release_at is null or o.release_at <= now())
            and {OrderFeed.IsReady}
            and not exists (select from step_runs r where r.subject_id = o.id and r.step = c.step and (r.status not in ({(short)
            StepStatus.Waiting}, {(short)StepStatus.Running}, {(short)
            StepStatus.Retrying}) or r.next_attempt_at > now()))
        order by p.order_id limit {Batch}
        """;

    private static readonly string NotTakenBack = $"""
        select o.id, p.cancelled_at, o.customer_email
        from order_progress p join orders o on o.id = p.order_id join step_catalogue c on c.step = $1
        where p.order_id > $2 and p.cancelled_at > now() - interval '7 days' and o.erased_at is null and '{MessageName.ExchangeOf(
            typeof(OrderCancelled)
        )}' = any(c.consumes)
            and not exists (select from effects e where e.subject_id = o.id and e.effect = c.step || '{StepRun.CompensationSuffix}' and e.state = {(short)
            EffectState.Done})
        order by p.order_id limit {Batch}
        """;

    // Not what an operator has to decide on.
    private static readonly string NotApologised = $"""
        select o.id, o.premium, o.release_at is not null as scheduled, p.rejected_at, o.customer_email,
            s.skus, s.requested, s.available
        from order_progress p join orders o on o.id = p.order_id join step_catalogue c on c.step = $1
            cross join lateral (select array_agg(sku order by sku) as skus,
                array_agg(requested order by sku) as requested, array_agg(available order by sku) as available
                from order_shortages where order_id = p.order_id) s
        where p.order_id > $2 and p.rejected_at is not null and o.erased_at is null and s.skus is not null
            and '{Rejected}' = any(c.consumes)
            and not exists (select from effects e where e.subject_id = o.id and e.effect = '{OrderEffects.Apology}'
                and e.state in ({EffectState.Done:D}, {EffectState.Uncertain:D}))
            and not exists (select from failures f where f.subject_id = o.id and f.step = c.step
                and f.message_type = '{Rejected}'
                and f.state in ({FailureState.Failed:D}, {FailureState.Archived:D}))
        order by p.order_id limit {Batch}
        """;

    private static readonly string Undelivered = $"""
        select d.id, d.at
        from webhook_deliveries d join step_catalogue c on c.step = $1
            and '{MessageName.ExchangeOf(typeof(WebhookDue))}' = any(c.consumes)
        where d.id > $2
            and not exists (select from step_runs r where r.subject_id = d.id and r.step = c.step and (r.status not in ({(short)
            StepStatus.Waiting}, {(short)StepStatus.Running}, {(short)
            StepStatus.Retrying}) or r.next_attempt_at > now()))
        order by d.id limit {Batch}
        """;

    /// <inheritdoc />
    public async Task<int> SendAgainAsync(string stepName, CancellationToken cancellationToken) =>
        await SendAsync(
            stepName,
            Undone,
            reader =>
                OrderFeed.MessageOf(
                    personal,
                    new PastOrder(
                        reader.GetGuid("id"),
                        reader.GetBoolean("premium"),
                        reader.GetFieldValue<DateTimeOffset>("created_at"),
                        null,
                        reader.GetString("customer_email")
                    ),
                    stepName,
                    reader.GetFieldValue<string[]>("consumes"),
                    OrderPriority.Of(reader.GetBoolean("premium"), reader.GetBoolean("scheduled"))
                ),
            cancellationToken
        )
        + await SendAsync(
            stepName,
            NotTakenBack,
            reader =>
                OutgoingMessage.Create(
                    new OrderCancelled(reader.GetGuid("id"), reader.GetFieldValue<DateTimeOffset>("cancelled_at")),
                    reader.GetGuid("id"),
                    priority: OrderPriority.Cancellation,
                    queue: stepName,
                    id: OutgoingMessage.IdOf<OrderCancelled>(reader.GetGuid("id")),
                    keys: OrderKeys.Of(personal, reader.GetString("customer_email"))
                ),
            cancellationToken
        )
        + await SendAsync(stepName, NotApologised, reader => RejectionOf(reader, stepName), cancellationToken)
        + await SendAsync(
            stepName,
            Undelivered,
            reader => WebhookNotifier.MessageOf(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken
        );

    private OutboxMessage RejectionOf(NpgsqlDataReader reader, string step)
    {
        var order = reader.GetGuid("id");
        var requested = reader.GetFieldValue<int[]>("requested");
        var available = reader.GetFieldValue<int[]>("available");
        var shortages = reader
            .GetFieldValue<string[]>("skus")
            .Select((sku, at) => new StockShortage(sku, requested[at], available[at]));
        return OutgoingMessage.Create(
            new StockRejected(order, [.. shortages], reader.GetFieldValue<DateTimeOffset>("rejected_at")),
            order,
            priority: OrderPriority.Of(reader.GetBoolean("premium"), reader.GetBoolean("scheduled")),
            queue: step,
            id: OutgoingMessage.IdOf<StockRejected>(OutgoingMessage.IdOf<OrderAccepted>(order), "inventory"),
            keys: OrderKeys.Of(personal, reader.GetString("customer_email"))
        );
    }

    private async Task<int> SendAsync(
        string step,
        string sql,
        Func<NpgsqlDataReader, OutboxMessage> messageOf,
        CancellationToken cancellationToken
    )
    {
        var (sent, last) = (0, Guid.Empty);
        while (true)
        {
            var messages = new List<OutboxMessage>();
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using (var command = new NpgsqlCommand(sql, connection))
            {
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = step });
                command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = last });
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    last = reader.GetGuid("id");
                    messages.Add(messageOf(reader));
                }
            }

            await OutboxWriter.InsertAsync(connection, messages, cancellationToken);
            messages.ForEach(relay.Offer);
            sent += messages.Count;
            if (messages.Count < Batch)
                return sent;
        }
    }
}
