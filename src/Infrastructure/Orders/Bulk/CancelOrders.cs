using System.Data;
using Npgsql;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Telemetry;
using QueueWorkers.Bulk;
using QueueWorkers.GroupCommit;

namespace Orders.Infrastructure.Bulk;

/// <summary>
/// Cancels orders, each as <see cref="OrderCancellation"/> cancels one and in a transaction of its own: no more than one
/// order is locked at a time, and one that cannot be cancelled holds up no other.
/// </summary>
public sealed class CancelOrders(OrderCancellation cancellation, OrderMetrics? metrics = null) : IBulkKind
{
    /// <summary>The name of the kind.</summary>
    public const string KindName = "cancel-orders";

    // What was done is undone; the steps in the order of the catalogue.
    private const string Undone = """
        select c.step, count(*) as orders from bulk_items i join order_progress p on p.order_id = i.target_id
            join step_catalogue c on c.bit & p.done <> 0
        where i.bulk_action_id = $1 group by c.step, c.position order by c.position
        """;

    /// <inheritdoc />
    public string Name => KindName;

    /// <inheritdoc />
    public int Portion => 1;

    /// <inheritdoc />
    public int PerSecond => 50;

    /// <inheritdoc />
    public Task<BulkSelection> SelectAsync(BulkRequest request, CancellationToken cancellationToken)
    {
        if (request.Step is not null)
            throw new BulkRefusedException("invalid-step", "Cancelling orders takes no step; put it into the filter.");
        var choice = ChosenOrders.Read(request.Filter);
        return Task.FromResult(
            new BulkSelection(choice.ToJson(), (connection, id, token) => ChooseAsync(connection, id, choice, token))
        );
    }

    /// <inheritdoc />
    public async Task<BulkPortion> DoAsync(
        NpgsqlConnection connection,
        BulkAction action,
        IReadOnlyList<Guid> targets,
        CancellationToken cancellationToken
    )
    {
        var order = targets.Single();
        if (await WhyNotAsync(connection, order, action.Filter, cancellationToken) is { } why)
            return new BulkPortion([new(order, BulkItemState.Skipped, why)], []);
        var (outcome, messages) = await cancellation.CancelAsync(connection, order, clientId: null, cancellationToken);
        BulkSettled settled = outcome switch
        {
            CancelOutcome.Cancelled => new(order, BulkItemState.Done),
            CancelOutcome.AlreadyCancelled => new(order, BulkItemState.Skipped, "It was cancelled meanwhile."),
            CancelOutcome.Completed => new(
                order,
                BulkItemState.Refused,
                "Every step of it is done: the goods are on their way."
            ),
            CancelOutcome.Rejected => new(
                order,
                BulkItemState.Refused,
                "It was rejected meanwhile: there is nothing to cancel."
            ),
            _ => new(order, BulkItemState.Skipped, "It is not there any more."),
        };
        return new BulkPortion(
            [settled],
            messages,
            outcome == CancelOutcome.Cancelled && metrics is not null ? metrics.Cancelled : null
        );
    }

    private static async Task<BulkRehearsal> ChooseAsync(
        NpgsqlConnection connection,
        Guid id,
        OrderChoice choice,
        CancellationToken cancellationToken
    )
    {
        var (matched, untouched) = await ChosenOrders.ChooseAsync(
            connection,
            id,
            choice,
            step: null,
            ChosenOrders.WhyNotCancelled,
            cancellationToken
        );
        var outside = new List<string>
        {
            "Steps that have not begun are left out, running ones are told to stop.",
            "Each customer gets a mail, stock goes back, an issued invoice gets a credit note, and web hooks are told.",
        };
        await using var command = new NpgsqlCommand(Undone, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            outside.Add(
                FormattableString.Invariant(
                    $"{reader.GetString("step")} is done for {reader.GetInt64("orders")} of them and is undone."
                )
            );
        return new BulkRehearsal(matched, untouched, outside);
    }

    // Locked as every commit of a step locks it, so that it still fits when it is cancelled.
    private static async Task<string?> WhyNotAsync(
        NpgsqlConnection connection,
        Guid order,
        string filter,
        CancellationToken cancellationToken
    )
    {
        // Whoever pauses or ends the bulk action waits for its row meanwhile.
        await using (var wait = new NpgsqlCommand(LockWait.Shortly().CommandText, connection))
            await wait.ExecuteNonQueryAsync(cancellationToken);
        await using var command = new NpgsqlCommand { Connection = connection };
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = order });
        command.CommandText = $"""
            select p.status, p.cancelled_at is not null as cancelled, {OrderChoice
                .Parse(filter)
                .Condition(command.Parameters)} as fits
            from order_progress p join orders o on o.id = p.order_id where p.order_id = $1 for no key update of p
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return "It is not there any more.";
        return reader.GetBoolean("cancelled") ? "It was cancelled meanwhile."
            : reader.GetBoolean("fits") ? null
            : $"It does not fit the filter any more; its status is {(OrderStatus)reader.GetInt16("status")}.";
    }
}
