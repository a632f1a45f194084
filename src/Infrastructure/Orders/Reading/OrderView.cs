using Npgsql;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Reports;

namespace Orders.Infrastructure.Reading;

/// <summary>An order with everything that its owner may see.</summary>
/// <param name="Order">The order and its lines.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="CompletedAt">When its last step was done; null before.</param>
/// <param name="Steps">The steps it needs, in the order of the catalogue; each is there, begun or not.</param>
/// <param name="Invoice">Its invoice; null until the document was rendered.</param>
/// <param name="CreditNote">What took the invoice back; null when nothing did, or until the document was
/// rendered.</param>
/// <param name="CancelledAt">When it was cancelled; null when it was not.</param>
/// <param name="UndoneAt">When each step's own work was undone; only for those that were.</param>
/// <param name="Reports">What attempts of its steps told about themselves, the latest first; a bounded number.</param>
public sealed record OrderView(
    Order Order,
    OrderStatus Status,
    DateTimeOffset? CompletedAt,
    IReadOnlyList<StepRecord> Steps,
    RenderedInvoice? Invoice,
    RenderedInvoice? CreditNote,
    DateTimeOffset? CancelledAt,
    IReadOnlyDictionary<string, DateTimeOffset> UndoneAt,
    IReadOnlyList<StepReport> Reports
);

/// <summary>An invoice, or a credit note, whose document exists.</summary>
/// <param name="Number">Its running number.</param>
/// <param name="Sha256">SHA-256 of the document.</param>
public sealed record RenderedInvoice(long Number, byte[] Sha256);

/// <summary>Reads one order, in one round trip.</summary>
public sealed class OrderViewReader(NpgsqlDataSource database)
{
    // The order first, its steps last: they are read with later snapshots, so an order seen as completed never shows a
    // step that is not.
    private const string TheOrder = """
        select o.number, o.customer_name, o.customer_email, o.currency, o.total, o.premium, o.created_at, p.status,
            p.completed_at, i.number, i.sha256, p.cancelled_at, n.number, n.sha256
        from orders o join order_progress p on p.order_id = o.id
            left join invoices i on i.order_id = o.id and i.sha256 is not null
            left join credit_notes n on n.order_id = o.id and n.sha256 is not null
        where o.id = $1 and o.client_id = $2
        """;

    private const string Lines =
        "select line, sku, name, quantity, unit_price, total from order_lines where order_id = $1 order by line";

    private static readonly string Steps = $"""
        select c.step, r.status, r.attempts, r.started_at, r.finished_at, r.next_attempt_at, r.last_fault, u.at
        from order_progress p join step_catalogue c on c.bit & (p.required | p.done) <> 0
            left join step_runs r on r.subject_id = p.order_id and r.step = c.step
            left join effects u on p.cancelled_at is not null and u.subject_id = p.order_id
                and u.effect = c.step || '-undo' and u.state = {EffectState.Done:D}
        where p.order_id = $1 order by c.position
        """;

    private const string Reports = """
        select step, message_id, attempt, progress, activity, log, result::text, at from step_reports
            where subject_id = $1 order by at desc limit 20
        """;

    /// <summary>Reads an order.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="clientId">Who asks.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The order, or null when there is none or it belongs to somebody else.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<OrderView?> FindAsync(Guid orderId, string clientId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(TheOrder)
            {
                Parameters =
                {
                    Id(orderId),
                    new NpgsqlParameter<string> { TypedValue = clientId },
                },
            }
        );
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Lines) { Parameters = { Id(orderId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Steps) { Parameters = { Id(orderId) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Reports) { Parameters = { Id(orderId) } });
        Failpoint.Hit("api.before_read_order", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var status = (OrderStatus)reader.GetInt16(7);
        var completedAt = reader.Optional<DateTimeOffset>(8);
        var invoice = reader.Optional<long>(9) is { } number
            ? new RenderedInvoice(number, reader.GetFieldValue<byte[]>(10))
            : null;
        var cancelledAt = reader.Optional<DateTimeOffset>(11);
        var creditNote = reader.Optional<long>(12) is { } taken
            ? new RenderedInvoice(taken, reader.GetFieldValue<byte[]>(13))
            : null;
        var lines = new List<OrderLine>();
        var order = new Order
        {
            Id = orderId,
            Number = reader.GetInt64(0),
            ClientId = clientId,
            CustomerName = reader.GetString(1),
            CustomerEmail = reader.GetString(2),
            Currency = reader.GetString(3),
            Total = reader.GetDecimal(4),
            Premium = reader.GetBoolean(5),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(6),
            Lines = lines,
        };

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lines.Add(
                new OrderLine
                {
                    OrderId = orderId,
                    Line = reader.GetInt16(0),
                    Sku = reader.GetString(1),
                    Name = reader.GetString(2),
                    Quantity = reader.GetInt32(3),
                    UnitPrice = reader.GetDecimal(4),
                    Total = reader.GetDecimal(5),
                }
            );
        }

        await reader.NextResultAsync(cancellationToken);
        var steps = new List<StepRecord>();
        var undone = new Dictionary<string, DateTimeOffset>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var step = StepFrom(reader, orderId, status, cancelledAt);
            steps.Add(step);
            if (reader.Optional<DateTimeOffset>(7) is { } at)
                undone[step.Step] = at;
        }

        await reader.NextResultAsync(cancellationToken);
        var reports = new List<StepReport>();
        while (await reader.ReadAsync(cancellationToken))
            reports.Add(ReportFrom(reader, orderId));
        return new OrderView(order, status, completedAt, steps, invoice, creditNote, cancelledAt, undone, reports);
    }

    private static StepRecord StepFrom(
        NpgsqlDataReader reader,
        Guid orderId,
        OrderStatus status,
        DateTimeOffset? cancelledAt
    ) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString(0),
            Status =
                (StepStatus?)reader.Optional<short>(1)
                ?? PendingStep.StatusIn(cancelledAt is null ? status : OrderStatus.Cancelled),
            Attempts = reader.Optional<int>(2) ?? 0,
            StartedAt = reader.Optional<DateTimeOffset>(3),
            FinishedAt = reader.Optional<DateTimeOffset>(4),
            NextAttemptAt = reader.Optional<DateTimeOffset>(5),
            LastFault = reader.IsDBNull(6) ? null : reader.GetString(6),
        };

    private static StepReport ReportFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString(0),
            MessageId = reader.GetGuid(1),
            Attempt = reader.GetInt32(2),
            Progress = reader.Optional<double>(3),
            Activity = reader.IsDBNull(4) ? null : reader.GetString(4),
            Log = reader.GetFieldValue<string[]>(5),
            Result = reader.IsDBNull(6) ? null : reader.GetString(6),
            At = reader.GetFieldValue<DateTimeOffset>(7),
        };

    private static NpgsqlParameter<Guid> Id(Guid id) => new() { TypedValue = id };
}
