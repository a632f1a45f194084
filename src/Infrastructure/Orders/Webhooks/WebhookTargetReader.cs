using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Idempotency;

namespace Orders.Infrastructure.Webhooks;

/// <summary>Reads what the webhook step delivers. Nobody else may read secrets.</summary>
public sealed class WebhookTargetReader(NpgsqlDataSource database)
{
    /// <summary>What the step's database role needs.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    ["select on webhooks, webhook_deliveries", "select (id, number) on orders"];

    private static readonly string[] SecretColumns = ["secret", "previous_secret"];

    private static readonly string Read = $"""
        select d.webhook_id, d.event, d.at, d.reason, d.order_id, o.number, w.url, w.secret,
            case when w.previous_until > now() then w.previous_secret end as previous_secret,
            exists (select from effects e where e.subject_id = d.id and e.effect = $2
                and e.state = {EffectState.Done:D}) as is_done
        from webhook_deliveries d left join webhooks w on w.id = d.webhook_id left join orders o on o.id = d.order_id
        where d.id = $1
        """;

    /// <summary>Reads it; null when there is no such delivery.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="effect">The name of the effect that says that it was delivered.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<WebhookCall?> FindAsync(Guid delivery, string effect, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = delivery });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = effect });
        Failpoint.Hit("webhook.before_read", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new WebhookCall
        {
            DeliveryId = delivery,
            WebhookId = reader.GetGuid("webhook_id"),
            Event = reader.GetString("event"),
            At = reader.GetFieldValue<DateTimeOffset>("at"),
            Reason = reader.OptionalText("reason"),
            OrderId = reader.Optional<Guid>("order_id"),
            Number = reader.Optional<long>("number"),
            IsDone = reader.GetBoolean("is_done"),
            Url = reader.OptionalText("url") is { } url ? new Uri(url) : null,
            Secrets = [.. SecretColumns.Where(column => !reader.IsDBNull(column)).Select(reader.GetFieldValue<byte[]>)],
        };
    }
}

/// <summary>What is to be delivered, and where to.</summary>
public sealed record WebhookCall
{
    /// <summary>The delivery.</summary>
    public required Guid DeliveryId { get; init; }

    /// <summary>The web hook.</summary>
    public required Guid WebhookId { get; init; }

    /// <summary>The event.</summary>
    public required string Event { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why; null when there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>The order; null for a test event.</summary>
    public Guid? OrderId { get; init; }

    /// <summary>The order's number; null for a test event.</summary>
    public long? Number { get; init; }

    /// <summary>Whether it was delivered before.</summary>
    public bool IsDone { get; init; }

    /// <summary>The address; null when the client has removed the web hook.</summary>
    public Uri? Url { get; init; }

    /// <summary>The keys that sign: the present one, and the one before for some time after a rotation.</summary>
    public IReadOnlyList<byte[]> Secrets { get; init; } = [];
}
