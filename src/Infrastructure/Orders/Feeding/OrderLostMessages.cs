using System.Data;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Topology;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Sends a step again what it should have had of all orders by now: the beginning of the work, what undoes it, and what
/// clients are to be told. Each batch is committed by itself; the messages have the ids that the originals had, so that a copy of one that is still
/// under way is dropped.
/// </summary>
public sealed class OrderLostMessages(NpgsqlDataSource database, RelayFeed relay, PersonalDataHash personal)
    : ILostMessages
{
    private const int Batch = 1000;

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
        + await SendAsync(
            stepName,
            Undelivered,
            reader => WebhookNotifier.MessageOf(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken
        );

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
