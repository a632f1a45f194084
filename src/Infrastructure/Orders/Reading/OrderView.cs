using System.Data;
using Npgsql;
using QueueWorkers.Data;
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
/// <param name="Number">Its number, as it is printed.</param>
/// <param name="Sha256">SHA-256 of the document.</param>
public sealed record RenderedInvoice(string Number, byte[] Sha256);

/// <summary>Reads one order, in one round trip.</summary>
public sealed class OrderViewReader(NpgsqlDataSource database)
{
    // Another client's order costs the same as none, in each statement: the time of the answer tells nothing.
    private const string IsOwn = "exists (select from orders where id = $1 and client_id = $2)";

    // The order first, its steps last: they are read with later snapshots, so an order seen as completed never shows a
    // step that is not.
    private const string TheOrder = $"""
        select {OrderRows.Order}, i.number as invoice, i.printed_number as invoice_printed,
            i.sha256 as invoice_sha256,
            n.number as credit_note, n.printed_number as credit_note_printed, n.sha256 as credit_note_sha256
        from orders o join order_progress p on p.order_id = o.id
            left join invoices i on i.order_id = o.id and i.sha256 is not null
            left join credit_notes n on n.order_id = o.id and n.sha256 is not null
        where o.id = $1 and o.client_id = $2
        """;

    private const string Lines = $"""
        select {OrderRows.Line} from order_lines where order_id = $1 and {IsOwn} order by line
        """;

    private static readonly string Steps = $"""
        select {OrderRows.Step}, u.at as undone_at
        from order_progress p join step_catalogue c on c.bit & (p.required | p.done) <> 0
            left join step_runs r on r.subject_id = p.order_id and r.step = c.step
            left join effects u on p.cancelled_at is not null and u.subject_id = p.order_id
                and u.effect = c.step || '-undo' and u.state = {EffectState.Done:D}
        where p.order_id = $1 and {IsOwn} order by c.position
        """;

    private const string Reports = $"""
        select step, message_id, attempt, progress, activity, log, result::text as result, at from step_reports
            where subject_id = $1 and {IsOwn} order by at desc limit 20
        """;

    /// <summary>What is asked, for the order $1 and the client $2.</summary>
    internal static IReadOnlyList<string> Statements { get; } = [TheOrder, Lines, Steps, Reports];

    /// <summary>Reads an order.</summary>
    /// <param name="orderId">The order.</param>
    /// <param name="clientId">Who asks.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The order, or null when there is none or it belongs to somebody else.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<OrderView?> FindAsync(Guid orderId, string clientId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        foreach (var sql in Statements)
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<Guid> { TypedValue = orderId },
                        new NpgsqlParameter<string> { TypedValue = clientId },
                    },
                }
            );
        Failpoint.Hit("api.before_read_order", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var lines = new List<OrderLine>();
        var (order, status, completedAt, cancelledAt) = OrderRows.OrderFrom(reader, orderId, lines);
        var invoice = RenderedFrom(reader, "invoice", OrderNumber.Invoice);
        var creditNote = RenderedFrom(reader, "credit_note", OrderNumber.CreditNote);
        await OrderRows.ReadNextAsync(reader, lines, r => OrderRows.LineFrom(r, orderId), cancellationToken);

        var undone = new Dictionary<string, DateTimeOffset>();
        var steps = new List<StepRecord>();
        await OrderRows.ReadNextAsync(
            reader,
            steps,
            r =>
            {
                var step = OrderRows.StepFrom(r, orderId, cancelledAt is null ? status : OrderStatus.Cancelled);
                if (r.Optional<DateTimeOffset>("undone_at") is { } at)
                    undone[step.Step] = at;
                return step;
            },
            cancellationToken
        );

        var reports = new List<StepReport>();
        await OrderRows.ReadNextAsync(reader, reports, r => ReportFrom(r, orderId), cancellationToken);
        return new OrderView(order, status, completedAt, steps, invoice, creditNote, cancelledAt, undone, reports);
    }

    private static RenderedInvoice? RenderedFrom(
        NpgsqlDataReader reader,
        string column,
        Func<string?, long, string> printed
    ) =>
        reader.Optional<long>(column) is { } number
            ? new RenderedInvoice(
                printed(reader.OptionalText($"{column}_printed"), number),
                reader.GetFieldValue<byte[]>($"{column}_sha256")
            )
            : null;

    private static StepReport ReportFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString("step"),
            MessageId = reader.GetGuid("message_id"),
            Attempt = reader.GetInt32("attempt"),
            Progress = reader.Optional<double>("progress"),
            Activity = reader.OptionalText("activity"),
            Log = reader.GetFieldValue<string[]>("log"),
            Result = reader.OptionalText("result"),
            At = reader.GetFieldValue<DateTimeOffset>("at"),
        };
}
