using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>Reads an order's case file, in one round trip.</summary>
public sealed class OrderDetailsReader(NpgsqlDataSource database)
{
    private const int MostAttempts = 200;

    private const string TheOrder = $"""
        select {OrderRows.Order}, p.rejected_at, i.number as invoice, i.printed_number
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
        var rejectedAt = reader.Optional<DateTimeOffset>("rejected_at");
        var invoice = reader.Optional<long>("invoice") is { } number
            ? OrderNumber.Invoice(reader.OptionalText("printed_number"), number)
            : null;
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
            Step = reader.GetString("step"),
            StartedAt = reader.GetFieldValue<DateTimeOffset>("started_at"),
            EndedAt = reader.GetFieldValue<DateTimeOffset>("ended_at"),
            Attempt = reader.GetInt32("attempt"),
            NextAt = reader.Optional<DateTimeOffset>("next_at"),
            Fault = reader.GetString("fault"),
            Host = reader.GetString("host"),
        };

    private static Effect EffectFrom(NpgsqlDataReader reader, Guid orderId) =>
        new()
        {
            SubjectId = orderId,
            Name = reader.GetString("effect"),
            MessageId = reader.GetGuid("message_id"),
            Step = reader.GetString("step"),
            State = (EffectState)reader.GetInt16("state"),
            LeaseUntil = reader.Optional<DateTimeOffset>("lease_until"),
            At = reader.GetFieldValue<DateTimeOffset>("at"),
            Reference = reader.OptionalText("reference"),
        };
}
