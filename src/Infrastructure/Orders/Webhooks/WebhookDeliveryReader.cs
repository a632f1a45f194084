using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Webhooks;

/// <summary>Reads what became of deliveries: for their client, and for the operator who looks at an order.</summary>
public sealed class WebhookDeliveryReader(NpgsqlDataSource database)
{
    /// <summary>The most deliveries of an answer.</summary>
    public const int Most = 100;

    /// <summary>What an operator's process needs: no secret, and of an address what is shown of it.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    ["select (id, client_id, url, events) on webhooks", "select, insert on webhook_deliveries"];

    private const string Columns = """
        d.id, d.webhook_id, d.order_id, d.event, d.at, r.status, coalesce(r.attempts, 0) as attempts,
            r.next_attempt_at, r.finished_at, r.last_fault
        """;

    private static readonly string OfOne = $"""
        select {Columns}, null as url
        from webhook_deliveries d left join step_runs r on r.subject_id = d.id and r.step = 'webhook'
        where d.webhook_id = $1 order by d.id desc limit {Most}
        """;

    private static readonly string OfAnOrder = $"""
        select {Columns}, w.url
        from webhook_deliveries d left join step_runs r on r.subject_id = d.id and r.step = 'webhook'
            left join webhooks w on w.id = d.webhook_id
        where d.order_id = $1 order by d.id limit {Most}
        """;

    private const string OrderOf = "select order_id from webhook_deliveries where id = $1";

    /// <summary>The last deliveries of a web hook, the newest first.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<IReadOnlyList<DeliveryState>> OfWebhookAsync(Guid webhook, CancellationToken cancellationToken) =>
        ReadAsync(OfOne, webhook, cancellationToken);

    /// <summary>The deliveries about an order, the oldest first.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<IReadOnlyList<DeliveryState>> OfOrderAsync(Guid order, CancellationToken cancellationToken) =>
        ReadAsync(OfAnOrder, order, cancellationToken);

    /// <summary>The order that a delivery is about; null when it is about none, or is none.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<Guid?> OrderOfAsync(Guid delivery, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OrderOf);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = delivery });
        Failpoint.Hit("webhook.before_find_order", Outside.Database);
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    private async Task<IReadOnlyList<DeliveryState>> ReadAsync(string sql, Guid of, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = of });
        Failpoint.Hit("webhook.before_read_deliveries", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var deliveries = new List<DeliveryState>();
        while (await reader.ReadAsync(cancellationToken))
            deliveries.Add(
                new DeliveryState
                {
                    Id = reader.GetGuid("id"),
                    WebhookId = reader.GetGuid("webhook_id"),
                    OrderId = reader.Optional<Guid>("order_id"),
                    Event = reader.GetString("event"),
                    At = reader.GetFieldValue<DateTimeOffset>("at"),
                    Status = (StepStatus)(reader.Optional<short>("status") ?? (short)StepStatus.Waiting),
                    Attempts = reader.GetInt32("attempts"),
                    NextAttemptAt = reader.Optional<DateTimeOffset>("next_attempt_at"),
                    FinishedAt = reader.Optional<DateTimeOffset>("finished_at"),
                    LastFault = reader.OptionalText("last_fault"),
                    Host = reader.OptionalText("url") is { } url ? new Uri(url).Authority : null,
                }
            );
        return deliveries;
    }
}

/// <summary>A delivery, and what became of it.</summary>
public sealed record DeliveryState
{
    /// <summary>The delivery.</summary>
    public required Guid Id { get; init; }

    /// <summary>The web hook.</summary>
    public required Guid WebhookId { get; init; }

    /// <summary>The order; null for a test event.</summary>
    public Guid? OrderId { get; init; }

    /// <summary>The event.</summary>
    public required string Event { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Where it stands.</summary>
    public required StepStatus Status { get; init; }

    /// <summary>Attempts so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>When the next one follows; null when none does.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>When it was delivered, or given up.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Why the last failed attempt failed.</summary>
    public string? LastFault { get; init; }

    /// <summary>Host and port of the address; null when the web hook was removed, or nobody asked.</summary>
    public string? Host { get; init; }
}
