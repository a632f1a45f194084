using Npgsql;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>Reads an order's case file, in one round trip.</summary>
public sealed class OrderDetailsReader(NpgsqlDataSource database)
{
    private const int MostAttempts = 200;

    private const string TheOrder = """
        select o.number, o.client_id, o.customer_name, o.customer_email, o.currency, o.total, o.premium, o.created_at,
            o.ship_line1, o.ship_city, o.ship_postal_code, o.ship_country,
               o.notes, o.release_at, p.status, p.completed_at, p.rejected_at, p.cancelled_at, i.number
        from orders o join order_progress p on p.order_id = o.id left join invoices i on i.order_id = o.id
            where o.id = $1
        """;

    private const string Lines =
        "select line, sku, name, quantity, unit_price, total from order_lines where order_id = $1 order by line";

    private const string Steps = """
        select c.step, r.status, r.attempts, r.started_at, r.finished_at, r.next_attempt_at, r.last_fault
        from order_progress p join step_catalogue c on c.bit & p.required <> 0
            left join step_runs r on r.subject_id = p.order_id and r.step = c.step
        where p.order_id = $1 order by c.position
        """;

    private static readonly string Attempts =
        $"select step, started_at, ended_at, attempt, next_at, fault, host from step_attempts where subject_id = $1 order by started_at limit {MostAttempts}";

    private const string Effects =
        "select effect, message_id, step, state, lease_until, at, reference from effects where subject_id = $1 order by at, effect";

    /// <summary>Reads it; null when there is no such order.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<OrderDetails?> FindAsync(Guid orderId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        foreach (var sql in (string[])[TheOrder, Lines, Steps, Attempts, Effects])
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = orderId } } }
            );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var status = (OrderStatus)reader.GetInt16(14);
        var (completed, rejected, cancelled, invoice) = (
            reader.Optional<DateTimeOffset>(15),
            reader.Optional<DateTimeOffset>(16),
            reader.Optional<DateTimeOffset>(17),
            reader.Optional<long>(18)
        );
        var lines = new List<OrderLine>();
        var order = new Order
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
            Notes = reader.IsDBNull(12) ? null : reader.GetString(12),
            ReleaseAt = reader.Optional<DateTimeOffset>(13),
            Lines = lines,
        };
        await ForEachAsync(
            reader,
            () =>
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
                ),
            cancellationToken
        );

        var steps = new List<StepRecord>();
        await ForEachAsync(
            reader,
            () =>
                steps.Add(
                    new StepRecord
                    {
                        SubjectId = orderId,
                        Step = reader.GetString(0),
                        Status = (StepStatus?)reader.Optional<short>(1) ?? PendingStep.StatusIn(status),
                        Attempts = reader.Optional<int>(2) ?? 0,
                        StartedAt = reader.Optional<DateTimeOffset>(3),
                        FinishedAt = reader.Optional<DateTimeOffset>(4),
                        NextAttemptAt = reader.Optional<DateTimeOffset>(5),
                        LastFault = reader.IsDBNull(6) ? null : reader.GetString(6),
                    }
                ),
            cancellationToken
        );

        var attempts = new List<StepAttempt>();
        await ForEachAsync(
            reader,
            () =>
                attempts.Add(
                    new StepAttempt
                    {
                        SubjectId = orderId,
                        Step = reader.GetString(0),
                        StartedAt = reader.GetFieldValue<DateTimeOffset>(1),
                        EndedAt = reader.GetFieldValue<DateTimeOffset>(2),
                        Attempt = reader.GetInt32(3),
                        NextAt = reader.Optional<DateTimeOffset>(4),
                        Fault = reader.GetString(5),
                        Host = reader.GetString(6),
                    }
                ),
            cancellationToken
        );

        var effects = new List<Effect>();
        await ForEachAsync(
            reader,
            () =>
                effects.Add(
                    new Effect
                    {
                        SubjectId = orderId,
                        Name = reader.GetString(0),
                        MessageId = reader.GetGuid(1),
                        Step = reader.GetString(2),
                        State = (EffectState)reader.GetInt16(3),
                        LeaseUntil = reader.Optional<DateTimeOffset>(4),
                        At = reader.GetFieldValue<DateTimeOffset>(5),
                        Reference = reader.IsDBNull(6) ? null : reader.GetString(6),
                    }
                ),
            cancellationToken
        );
        return new OrderDetails(order, status, completed, rejected, cancelled, steps, attempts, effects, invoice);
    }

    private static async Task ForEachAsync(NpgsqlDataReader reader, Action row, CancellationToken cancellationToken)
    {
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            row();
    }
}
