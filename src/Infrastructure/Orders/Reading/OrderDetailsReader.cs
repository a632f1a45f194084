using Npgsql;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>Reads an order's case file, in one round trip.</summary>
public sealed class OrderDetailsReader(NpgsqlDataSource database)
{
    private const int MostAttempts = 200;

    private const string TheOrder = $"""
        select {OrderRows.Order}, p.rejected_at, i.number
        from orders o join order_progress p on p.order_id = o.id left join invoices i on i.order_id = o.id
            where o.id = $1
        """;

    private const string Steps = $"""
        select {OrderRows.Step}
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
        foreach (var sql in (string[])[TheOrder, OrderRows.Lines, Steps, Attempts, Effects])
            batch.BatchCommands.Add(
                new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = orderId } } }
            );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var lines = new List<OrderLine>();
        var (order, status, completedAt, cancelledAt) = OrderRows.OrderFrom(reader, orderId, lines);
        var rejectedAt = reader.Optional<DateTimeOffset>(OrderRows.OrderColumns);
        var invoice = reader.Optional<long>(OrderRows.OrderColumns + 1);
        await OrderRows.ReadNextAsync(reader, lines, r => OrderRows.LineFrom(r, orderId), cancellationToken);

        var steps = new List<StepRecord>();
        await OrderRows.ReadNextAsync(reader, steps, r => OrderRows.StepFrom(r, orderId, status), cancellationToken);

        var attempts = new List<StepAttempt>();
        await OrderRows.ReadNextAsync(reader, attempts, r => AttemptFrom(r, orderId), cancellationToken);

        var effects = new List<Effect>();
        await OrderRows.ReadNextAsync(reader, effects, r => EffectFrom(r, orderId), cancellationToken);
        return new OrderDetails(order, status, completedAt, rejectedAt, cancelledAt, steps, attempts, effects, invoice);
    }

    private static StepAttempt AttemptFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            SubjectId = orderId,
            Step = reader.GetString(0),
            StartedAt = reader.GetFieldValue<DateTimeOffset>(1),
            EndedAt = reader.GetFieldValue<DateTimeOffset>(2),
            Attempt = reader.GetInt32(3),
            NextAt = reader.Optional<DateTimeOffset>(4),
            Fault = reader.GetString(5),
            Host = reader.GetString(6),
        };

    private static Effect EffectFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            SubjectId = orderId,
            Name = reader.GetString(0),
            MessageId = reader.GetGuid(1),
            Step = reader.GetString(2),
            State = (EffectState)reader.GetInt16(3),
            LeaseUntil = reader.Optional<DateTimeOffset>(4),
            At = reader.GetFieldValue<DateTimeOffset>(5),
            Reference = reader.OptionalText(6),
        };
}
