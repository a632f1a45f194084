using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>
/// The columns and rows that <see cref="OrderViewReader"/> and <see cref="OrderDetailsReader"/> share. Each adds
/// columns of its own behind the shared ones.
/// </summary>
internal static class OrderRows
{
    /// <summary>
    /// Columns of <c>orders o join order_progress p</c>, for <see cref="OrderFrom"/>.
    /// </summary>
    public const string Order = """
        o.number, o.client_id, o.customer_name, o.customer_email, o.locale, o.currency, o.total, o.premium, o.created_at,
            o.ship_line1, o.ship_city, o.ship_postal_code, o.ship_country, o.notes, o.release_at, p.status,
            p.completed_at, p.cancelled_at
        """;

    /// <summary>Columns of <c>order_lines</c>, for <see cref="LineFrom"/>.</summary>
    public const string Line = "line, sku, name, quantity, unit_price, total, vat_rate";

    /// <summary>The lines of the order $1, for <see cref="LineFrom"/>.</summary>
    public const string Lines = $"select {Line} from order_lines where order_id = $1 order by line";

    /// <summary>
    /// Columns of <c>step_catalogue c left join step_runs r</c>, for <see cref="StepFrom"/>.
    /// </summary>
    public const string Step =
        "c.step, r.status, r.attempts, r.started_at, r.finished_at, r.next_attempt_at, r.last_fault";

    /// <summary>Reads an order and its state from the columns <see cref="Order"/>.</summary>
    /// <param name="reader">On a row of the order.</param>
    /// <param name="orderId">The order's id.</param>
    /// <param name="lines">The list that is filled with the order's lines later.</param>
    public static (Order Order, OrderStatus Status, DateTimeOffset? CompletedAt, DateTimeOffset? CancelledAt) OrderFrom(
        NpgsqlDataReader reader,
        Guid orderId,
        IReadOnlyList<OrderLine> lines
    ) =>
        (
            new Order
            {
                Id = orderId,
                Number = reader.GetInt64("number"),
                ClientId = reader.GetString("client_id"),
                CustomerName = reader.GetString("customer_name"),
                CustomerEmail = reader.GetString("customer_email"),
                Locale = reader.GetString("locale"),
                Currency = reader.GetString("currency"),
                Total = reader.GetDecimal("total"),
                Premium = reader.GetBoolean("premium"),
                CreatedAt = reader.GetFieldValue<DateTimeOffset>("created_at"),
                ShipLine1 = reader.GetString("ship_line1"),
                ShipCity = reader.GetString("ship_city"),
                ShipPostalCode = reader.GetString("ship_postal_code"),
                ShipCountry = reader.GetString("ship_country"),
                Notes = reader.OptionalText("notes"),
                ReleaseAt = reader.Optional<DateTimeOffset>("release_at"),
                Lines = lines,
            },
            (OrderStatus)reader.GetInt16("status"),
            reader.Optional<DateTimeOffset>("completed_at"),
            reader.Optional<DateTimeOffset>("cancelled_at")
        );

    /// <summary>Reads a row of <see cref="Lines"/>.</summary>
    public static OrderLine LineFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            OrderId = orderId,
            Line = reader.GetInt16("line"),
            Sku = reader.GetString("sku"),
            Name = reader.GetString("name"),
            Quantity = reader.GetInt32("quantity"),
            UnitPrice = reader.GetDecimal("unit_price"),
            Total = reader.GetDecimal("total"),
            VatRate = reader.Optional<decimal>("vat_rate"),
        };

    /// <summary>Reads a step from the columns <see cref="Step"/>.</summary>
    /// <param name="reader">On a row of the step.</param>
    /// <param name="orderId">The order's id.</param>
    /// <param name="status">The order's status; decides what a step without a run shows.</param>
    public static StepRecord StepFrom(NpgsqlDataReader reader, Guid orderId, OrderStatus status) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString("step"),
            Status = (StepStatus?)reader.Optional<short>("status") ?? PendingStep.StatusIn(status),
            Attempts = reader.Optional<int>("attempts") ?? 0,
            StartedAt = reader.Optional<DateTimeOffset>("started_at"),
            FinishedAt = reader.Optional<DateTimeOffset>("finished_at"),
            NextAttemptAt = reader.Optional<DateTimeOffset>("next_attempt_at"),
            LastFault = reader.OptionalText("last_fault"),
        };

    /// <summary>Goes to the batch's next result and reads each of its rows into a list.</summary>
    public static async Task ReadNextAsync<T>(
        NpgsqlDataReader reader,
        List<T> rows,
        Func<NpgsqlDataReader, T> row,
        CancellationToken cancellationToken
    )
    {
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(row(reader));
    }
}
