using System.Data;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Orders.Infrastructure.Feeding;
using QueueWorkers.Bulk;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Infrastructure.Bulk;

/// <summary>The choice of orders for a bulk action: in one statement, however many there are.</summary>
internal static class ChosenOrders
{
    /// <summary>
    /// Says in SQL why an order <c>o</c> with its progress <c>p</c> cannot be cancelled; null when it can.
    /// </summary>
    public const string WhyNotCancelled = """
        case when p.cancelled_at is not null then 'cancelled before'
            when p.rejected_at is not null then 'rejected: there is nothing to cancel'
            when p.completed_at is not null then 'completed: the goods are on their way' end
        """;

    /// <summary>Says in SQL why step <c>c</c> gets no message for an order; null when it gets one.</summary>
    public static string WhyNotReplayed { get; } =
        $"""
            case when p.cancelled_at is not null then 'cancelled'
                when o.erased_at is not null then 'without the data of their customer, which were erased'
                when {OrderReplays.IsDone} then 'done with this step before'
                when not {OrderFeed.IsReady} then 'not so far: the message that starts this step was not sent yet' end
            """;

    /// <summary>Reads the filter of a request.</summary>
    /// <exception cref="InvalidFilterException">It is empty or cannot be used.</exception>
    public static OrderChoice Read(string filter)
    {
        try
        {
            var choice = OrderChoice.Parse(filter);
            return choice.IsEmpty
                ? throw new InvalidFilterException("An empty filter would concern every order; say which ones.")
                : choice;
        }
        catch (JsonException problem)
        {
            throw new InvalidFilterException(problem.Message);
        }
    }

    /// <summary>Writes the orders that match into <c>bulk_items</c>, and counts those that are left alone.</summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="id">The bulk action.</param>
    /// <param name="choice">Which orders.</param>
    /// <param name="step">The step <c>c</c>; null when <paramref name="whyNot"/> needs none.</param>
    /// <param name="whyNot">Why an order is left alone, as SQL.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public static async Task<(long Matched, IReadOnlyList<BulkUntouched> Untouched)> ChooseAsync(
        NpgsqlConnection connection,
        Guid id,
        OrderChoice choice,
        string? step,
        string whyNot,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        command.CommandText = $"""
            with matched as materialized (
                select o.id, {whyNot} as why from orders o join order_progress p on p.order_id = o.id
                    left join step_catalogue c on c.step = $2
                where {choice.Condition(command.Parameters)} order by o.id limit {BulkRequest.MostTargets + 1}),
            chosen as (
                insert into bulk_items (bulk_action_id, target_id, state)
                select $1, m.id, {BulkItemState.Waiting:D} from matched m where m.why is null order by m.id)
            select why, count(*) as orders from matched group by why order by count(*) desc, why
            """;
        var (matched, untouched) = (0L, new List<BulkUntouched>());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            matched += reader.GetInt64("orders");
            if (reader.OptionalText("why") is { } why)
                untouched.Add(new BulkUntouched(why, reader.GetInt64("orders")));
        }

        return (matched, untouched);
    }
}
