using Npgsql;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Collecting;

/// <summary>Reads the database's side of the evidence.</summary>
public sealed class DatabaseEvidence(NpgsqlDataSource database)
{
    // An order without a row of progress has lost it: it is open for ever, and the checker says so.
    private const string OrdersSql = """
        select o.id, o.customer_email, coalesce(p.status, 0)::smallint, o.currency::text, o.total,
            array(select l.sku from order_lines l where l.order_id = o.id order by l.line),
                array(select l.quantity from order_lines l where l.order_id = o.id order by l.line)
        from orders o left join order_progress p on p.order_id = o.id
        """;

    // Numbers as src/Infrastructure documents them; the checker shows names.
    private static readonly string[] StepStatus =
    [
        "Waiting",
        "Running",
        "Done",
        "Retrying",
        "Failed",
        "Uncertain",
        "Skipped",
        "Rejected",
        "Expired",
        "Cancelled",
    ];

    /// <summary>Reads everything.</summary>
    public async Task<Evidence> ReadAsync(CancellationToken cancellationToken = default) =>
        new()
        {
            Orders = await QueryAsync(
                OrdersSql,
                r => new StoredOrder(
                    r.GetGuid(0),
                    r.GetString(1),
                    EndOf(r.GetInt16(2)),
                    r.GetString(3),
                    r.GetDecimal(4),
                    [
                        .. r.GetFieldValue<string[]>(5)
                            .Zip(r.GetFieldValue<int[]>(6), (sku, quantity) => new Line(sku, quantity)),
                    ]
                ),
                cancellationToken
            ),
            OpenSteps = await QueryAsync(
                $"select subject_id, step, status from step_runs where status <> {StoredCodes.StepDone}",
                r => new OpenStep(r.GetGuid(0), r.GetString(1), StepStatus[r.GetInt16(2)]),
                cancellationToken
            ),
            Invoices = await QueryAsync(
                "select order_id, number, snapshot ->> 'currency', (snapshot ->> 'total')::numeric, pdf, sha256 from invoices",
                r => new StoredInvoice(
                    r.GetGuid(0),
                    r.GetInt64(1),
                    r.GetString(2),
                    r.GetDecimal(3),
                    InvoiceDocument.ProblemWith(
                        r.IsDBNull(4) ? null : r.GetFieldValue<byte[]>(4),
                        r.IsDBNull(5) ? null : r.GetFieldValue<byte[]>(5)
                    )
                ),
                cancellationToken
            ),
            Movements = await QueryAsync(
                "select order_id, sku, quantity from stock_movements",
                r => new Movement(r.GetGuid(0), r.GetString(1), r.GetInt32(2)),
                cancellationToken
            ),
            Stock = await QueryAsync(
                "select sku, initial, on_hand from stock",
                r => new StockLevel(r.GetString(0), r.GetInt32(1), r.GetInt32(2)),
                cancellationToken
            ),
            OpenEffects = await QueryAsync(
                $"select subject_id, effect, state from effects where state <> {StoredCodes.EffectDone}",
                r => new OpenEffect(r.GetGuid(0), r.GetString(1), r.GetInt16(2) == StoredCodes.EffectUncertain),
                cancellationToken
            ),
            // A lease is a due time too: what a process has in its hands is not delayed on purpose.
            Unsent = await QueryAsync(
                "select message_id from outbox where dead_at is null and due_at <= now() + interval '10 seconds'",
                r => r.GetGuid(0),
                cancellationToken
            ),
            DeadLettered = await QueryAsync(
                "select message_id, correlation_id from outbox where dead_at is not null",
                r => new FoundDeadLetter(
                    FoundDeadLetter.Quarantine,
                    r.GetGuid(0),
                    !r.IsDBNull(1) && Guid.TryParse(r.GetString(1), out var order) ? order : null
                ),
                cancellationToken
            ),
        };

    private static OrderEnd EndOf(short status) =>
        status switch
        {
            2 => OrderEnd.Completed,
            3 => OrderEnd.Rejected,
            4 => OrderEnd.Cancelled,
            5 => OrderEnd.Failed,
            _ => OrderEnd.Open,
        };

    private async Task<List<T>> QueryAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 120;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }
}
