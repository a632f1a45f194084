using System.Data;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.PersonalData;
using QueueWorkers.Replays;

namespace Orders.Infrastructure.Feeding;

/// <summary>Which orders to replay. All that are given must hold.</summary>
/// <param name="From">Accepted at this moment or later.</param>
/// <param name="To">Accepted before this moment.</param>
/// <param name="Status">In this status.</param>
/// <param name="Premium">Of this class.</param>
/// <param name="Client">Of this client.</param>
public sealed record OrderReplayFilter(
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    OrderStatus? Status = null,
    bool? Premium = null,
    string? Client = null
);

/// <summary>
/// Feeds steps with past orders, in the order of their acceptance and in the class that stands behind all that
/// customers wait for. Cancelled and erased orders are never fed.
/// </summary>
public sealed class OrderReplays(NpgsqlDataSource database, PersonalDataHash personal) : IReplaySource
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() },
    };

    private static readonly string Next = $"""
        select o.id, o.premium, o.created_at, p.completed_at, c.consumes,
            exists (select from effects e where e.subject_id = o.id and e.effect = c.step
                and e.state = {EffectState.Done:D}) as done, {OrderFeed.IsReady} as ready, o.customer_email
        from orders o join order_progress p on p.order_id = o.id join step_catalogue c on c.step = $1
        where o.id > $2 and o.id >= $3 and o.id < $4 and p.cancelled_at is null and o.erased_at is null
            and ($5::smallint is null or p.status = $5) and ($6::boolean is null or o.premium = $6)
                and ($7::text is null or o.client_id = $7)
        order by o.id limit $8
        """;

    /// <inheritdoc />
    public async Task CheckAsync(string stepName, string filter, CancellationToken cancellationToken)
    {
        Parse(filter);
        await using var command = database.CreateCommand(
            "select step, consumes from step_catalogue where active order by position"
        );
        var steps = new Dictionary<string, string[]>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                steps[reader.GetString("step")] = reader.GetFieldValue<string[]>("consumes");
        }

        if (!steps.TryGetValue(stepName, out var consumes))
            throw new ReplayRefusedException(
                $"There is no step '{stepName}'; known are {string.Join(", ", steps.Keys)}."
            );
        if (!consumes.Intersect(OrderFeed.Feedable).Any())
        {
            throw new ReplayRefusedException(
                $"Step '{stepName}' consumes {string.Join(", ", consumes)}; a message can be made of an order for {string.Join(", ", OrderFeed.Feedable)} only."
            );
        }
    }

    /// <inheritdoc />
    public async Task<ReplayBatch> NextAsync(
        NpgsqlConnection connection,
        Replay replay,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var filter = Parse(replay.Filter);
        await using var command = new NpgsqlCommand(Next, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = replay.Step });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = replay.Cursor ?? Guid.Empty });
        command.Parameters.Add(
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(filter.From ?? DateTimeOffset.UnixEpoch) }
        );
        // Past orders only: what comes after the beginning of the replay comes to the step by itself.
        command.Parameters.Add(
            new NpgsqlParameter<Guid>
            {
                TypedValue = TimedId.FirstAt(filter.To < replay.CreatedAt ? filter.To.Value : replay.CreatedAt),
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter
            {
                Value = (object?)(short?)filter.Status ?? DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Smallint,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)filter.Premium ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Boolean }
        );
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)filter.Client ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });

        var (messages, seen, done, last) = (new List<OutboxMessage>(), 0, 0, (Guid?)null);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            seen++;
            last = reader.GetGuid("id");
            if (reader.GetBoolean("done"))
                done++;
            else if (reader.GetBoolean("ready"))
                messages.Add(MessageFrom(reader, replay.Step));
        }

        return new ReplayBatch(messages, seen, done, last);
    }

    private OutboxMessage MessageFrom(NpgsqlDataReader reader, string step)
    {
        var order = new PastOrder(
            reader.GetGuid("id"),
            reader.GetBoolean("premium"),
            reader.GetFieldValue<DateTimeOffset>("created_at"),
            reader.Optional<DateTimeOffset>("completed_at"),
            reader.GetString("customer_email")
        );
        return OrderFeed.MessageOf(
            personal,
            order,
            step,
            reader.GetFieldValue<string[]>("consumes"),
            OrderPriority.Released
        );
    }

    private static OrderReplayFilter Parse(string filter)
    {
        try
        {
            return JsonSerializer.Deserialize<OrderReplayFilter>(filter, Json) ?? new OrderReplayFilter();
        }
        catch (JsonException problem)
        {
            throw new ReplayRefusedException(
                $"A replay's filter is a JSON object with from, to, status, premium and client, all optional; {problem.Message}"
            );
        }
    }
}
