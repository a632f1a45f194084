using System.Data;
using System.Text.Json;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.PersonalData;
using QueueWorkers.Replays;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Feeds steps with past orders, in the order of their acceptance and in the class that stands behind all that
/// customers wait for. Cancelled and erased orders are never fed.
/// </summary>
public sealed class OrderReplays(NpgsqlDataSource database, PersonalDataHash personal) : IReplaySource
{
    /// <summary>Says in SQL whether step <c>c</c> of the catalogue was done for an order <c>o</c>.</summary>
    internal static string IsDone { get; } =
        $"""
            exists (select from effects e where e.subject_id = o.id and e.effect = c.step
                and e.state = {EffectState.Done:D})
            """;

    // What a message is made of, and whether the step c may get it.
    private static readonly string Columns = $"""
        o.id, o.premium, o.created_at, p.completed_at, c.consumes, o.customer_email, {IsDone} as done,
        {OrderFeed.IsReady} as ready
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
        await using var command = new NpgsqlCommand { Connection = connection };
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = replay.Step });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = replay.Cursor ?? Guid.Empty });
        // Past orders only: what comes after the beginning of the replay comes to the step by itself.
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(replay.CreatedAt) });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.CommandText = $"""
            select {Columns}
            from orders o join order_progress p on p.order_id = o.id join step_catalogue c on c.step = $1
            where o.id > $2 and o.id < $3 and p.cancelled_at is null and o.erased_at is null
                and {filter.Condition(command.Parameters)}
            order by o.id limit $4
            """;

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

    /// <summary>Makes the messages for some orders, in the order of their ids.</summary>
    /// <param name="connection">The open transaction in which they are written.</param>
    /// <param name="step">The step that is fed.</param>
    /// <param name="orders">The orders.</param>
    /// <param name="choice">What an order has to fit still.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>For each order its message, or why there is none.</returns>
    internal async Task<IReadOnlyList<(Guid Order, OutboxMessage? Message, string? WhyNot)>> OfAsync(
        NpgsqlConnection connection,
        string step,
        IReadOnlyList<Guid> orders,
        OrderChoice choice,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = step });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. orders] });
        command.CommandText = $"""
            select {Columns}, p.cancelled_at is not null as cancelled, o.erased_at is not null as erased, p.status,
                {choice.Condition(command.Parameters)} as fits
            from orders o join order_progress p on p.order_id = o.id join step_catalogue c on c.step = $1
            where o.id = any($2) order by o.id
            """;
        var made = new List<(Guid, OutboxMessage?, string?)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var whyNot =
                reader.GetBoolean("cancelled") ? "It was cancelled meanwhile."
                : reader.GetBoolean("erased") ? "Its customer's data were erased meanwhile."
                : reader.GetBoolean("done") ? $"Its step {step} was done meanwhile."
                : !reader.GetBoolean("fits")
                    ? $"It does not fit the filter any more; its status is {(OrderStatus)reader.GetInt16("status")}."
                : !reader.GetBoolean("ready") ? $"The message that starts {step} was not sent yet."
                : null;
            made.Add((reader.GetGuid("id"), whyNot is null ? MessageFrom(reader, step) : null, whyNot));
        }

        return made;
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

    private static OrderChoice Parse(string filter)
    {
        try
        {
            return OrderChoice.Parse(filter);
        }
        catch (JsonException problem)
        {
            throw new ReplayRefusedException($"A replay's filter is refused: {problem.Message}");
        }
    }
}
