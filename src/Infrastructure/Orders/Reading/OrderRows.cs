using Npgsql;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>
/// The columns and rows that <see cref="OrderViewReader"/> and <see cref="OrderDetailsReader"/> share. Each adds
/// columns of its own behind the shared ones.
/// </summary>
internal static class OrderRows
{
    /// <summary>
    /// Columns of <c>orders o join order_progress p</c>, for <see cref="OrderFrom"/>: the columns 0 to 16.
    /// </summary>
    public const string Order = """
        o.number, o.client_id, o.customer_name, o.customer_email, o.currency, o.total, o.premium, o.created_at,
            o.ship_line1, o.ship_city, o.ship_postal_code, o.ship_country, o.notes, o.release_at, p.status,
            p.completed_at, p.cancelled_at
        """;

    /// <summary>The number of columns in <see cref="Order"/>.</summary>
    public const int OrderColumns = 17;

    /// <summary>The lines of the order $1, for <see cref="LineFrom"/>.</summary>
    public const string Lines =
        "select line, sku, name, quantity, unit_price, total from order_lines where order_id = $1 order by line";

    /// <summary>
    /// Columns of <c>step_catalogue c left join step_runs r</c>, for <see cref="StepFrom"/>: the columns 0 to 6.
    /// </summary>
    public const string Step =
        "c.step, r.status, r.attempts, r.started_at, r.finished_at, r.next_attempt_at, r.last_fault";

    /// <summary>The number of columns in <see cref="Step"/>.</summary>
    public const int StepColumns = 7;

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
                Number = reader.GetInt64(0),
                ClientId = reader.GetString(1),
                CustomerName = reader.GetString(2),
                CustomerEmail = reader.GetString(3),
                Currency = reader.GetString(4),
                Total = reader.GetDecimal(5),
                Premium = reader.GetBoolean(6),
                CreatedAt = reader.GetFieldValue<DateTimeOffset>(7),
                ShipLine1 = reader.GetString(8),
                ShipCity = reader.GetString(9),
                ShipPostalCode = reader.GetString(10),
                ShipCountry = reader.GetString(11),
                Notes = reader.OptionalText(12),
                ReleaseAt = reader.Optional<DateTimeOffset>(13),
                Lines = lines,
            },
            (OrderStatus)reader.GetInt16(14),
            reader.Optional<DateTimeOffset>(15),
            reader.Optional<DateTimeOffset>(16)
        );

    /// <summary>Reads a row of <see cref="Lines"/>.</summary>
    public static OrderLine LineFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            OrderId = orderId,
            Line = reader.GetInt16(0),
            Sku = reader.GetString(1),
            Name = reader.GetString(2),
            Quantity = reader.GetInt32(3),
            UnitPrice = reader.GetDecimal(4),
            Total = reader.GetDecimal(5),
        };

    /// <summary>Reads a step from the columns <see cref="Step"/>.</summary>
    /// <param name="reader">On a row of the step.</param>
    /// <param name="orderId">The order's id.</param>
    /// <param name="status">The order's status; decides what a step without a run shows.</param>
    public static StepRecord StepFrom(NpgsqlDataReader reader, Guid orderId, OrderStatus status) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString(0),
            Status = (StepStatus?)reader.Optional<short>(1) ?? PendingStep.StatusIn(status),
            Attempts = reader.Optional<int>(2) ?? 0,
            StartedAt = reader.Optional<DateTimeOffset>(3),
            FinishedAt = reader.Optional<DateTimeOffset>(4),
            NextAttemptAt = reader.Optional<DateTimeOffset>(5),
            LastFault = reader.OptionalText(6),
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
