using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;
using Orders.Contracts;
using QueueWorkers.Outbox;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Webhooks;

/// <summary>
/// Makes the deliveries of events, in the transaction in which the events happen: for the web hooks of the orders'
/// clients that want them, and for nobody else. Called only where there is a web hook at all (<see cref="IsAnybody"/>).
/// </summary>
internal static class WebhookNotifier
{
    /// <summary>
    /// An expression that says whether any web hook is registered. Asked inside a statement that is made anyway.
    /// </summary>
    public const string IsAnybody = "exists (select from webhooks)";

    /// <summary>What a process needs in whose transactions events happen. No secrets and no addresses.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    ["select (id, client_id, events) on webhooks", "select, insert on webhook_deliveries"];

    private const string Insert = """
        with e as (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
            as t(order_id, event, reason, at))
        insert into webhook_deliveries (id, webhook_id, order_id, event, reason, at)
        select uuidv7(), w.id, e.order_id, e.event, e.reason, coalesce(e.at, now())
        from e join orders o on o.id = e.order_id
            join webhooks w on w.client_id = o.client_id and e.event = any (w.events)
        returning id, order_id, at
        """;

    /// <summary>Makes the deliveries and their messages, which the caller commits together.</summary>
    public static async Task<IReadOnlyList<OutboxMessage>> NotifyAsync(
        NpgsqlConnection connection,
        IReadOnlyList<OrderNews> news
    )
    {
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. news.Select(n => n.OrderId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. news.Select(n => n.Event)] });
        command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. news.Select(n => n.Reason)] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset?[]>
            {
                TypedValue = [.. news.Select(n => n.At?.ToUniversalTime())],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        var origins = news.ToLookup(n => n.OrderId);
        var messages = new List<OutboxMessage>();
        Failpoint.Hit("webhook.before_notify", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            messages.Add(
                MessageOf(
                    reader.GetGuid(0),
                    reader.GetFieldValue<DateTimeOffset>(2),
                    origins[reader.GetGuid(1)].First()
                )
            );
        Failpoint.Hit("webhook.after_notify", Outside.Database);
        return messages;
    }

    /// <summary>The message of a delivery.</summary>
    public static OutboxMessage MessageOf(Guid delivery, DateTimeOffset at, OrderNews? origin = null) =>
        OutgoingMessage.Create(
            new WebhookDue(delivery, at),
            delivery,
            origin?.Run?.ConversationId ?? default,
            origin?.Run?.MessageId,
            origin?.Run?.Trace ?? Activity.Current,
            id: OutgoingMessage.IdOf<WebhookDue>(delivery)
        );
}

/// <summary>Something happened to an order that its client may want to know.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Event">What.</param>
/// <param name="At">When; null for the present transaction.</param>
/// <param name="Run">The run that brought it; null when it was none.</param>
/// <param name="Reason">Why, in a sentence for people.</param>
internal sealed record OrderNews(
    Guid OrderId,
    string Event,
    DateTimeOffset? At = null,
    StepRun? Run = null,
    string? Reason = null
);
