using System.Data;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Orders.Contracts;
using QueueWorkers.Clocks;
using QueueWorkers.Completeness;
using QueueWorkers.Data;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Completeness;

/// <summary>
/// What an order must have: the effect of each required step; if it was rejected, those of the steps that begin with
/// the order, and the apology; if it was cancelled, the compensation of each step that was done for it, and the mail
/// about that. And what must agree with it: its progress, its invoice, its movements of stock.
/// </summary>
/// <param name="steps">Says which steps a message leads to.</param>
public sealed class OrderCompleteness(StepCatalogue steps) : ICompletenessSource
{
    // A mail server may be away for a while, and a compensation that waits is no lost one.
    private static readonly TimeSpan TimeForApology = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TimeForCompensation = TimeSpan.FromMinutes(5);

    private readonly string[] _afterAccepted = StepsAfter<OrderAccepted>(steps);
    private readonly string[] _afterReserved = StepsAfter<StockReserved>(steps);
    private readonly string[] _compensating =
    [
        .. steps.Steps.Where(s => s.Policy.Compensations.Contains(typeof(OrderCancelled))).Select(s => s.Name),
    ];

    /// <summary>
    /// What a process needs that runs the check: ids, times and quantities, no name, address or price.
    /// </summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select (id, created_at, release_at, premium) on orders",
        "select (order_id, quantity) on order_lines",
        "select (order_id, quantity) on stock_movements",
        "select (order_id, sha256) on invoices",
    ];

    /// <inheritdoc />
    public string Kind => "orders";

    /// <inheritdoc />
    public async Task<IReadOnlyList<AcceptedSubject>> NextAsync(
        NpgsqlConnection connection,
        Guid after,
        TimeSpan deadline,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(OrderCompletenessSql.Next, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = after });
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = deadline, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        command.Parameters.Add(
            new NpgsqlParameter<Guid> { TypedValue = Guid.CreateVersion7(DatabaseClock.UtcNow - deadline) }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var next = new List<AcceptedSubject>();
        while (await reader.ReadAsync(cancellationToken))
            next.Add(new AcceptedSubject(reader.GetGuid("id"), reader.GetFieldValue<DateTimeOffset>("deadline")));
        return next;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<Finding>> InspectAsync(
        NpgsqlConnection connection,
        Guid[] subjects,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(OrderCompletenessSql.Inspect, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = subjects });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = _afterAccepted });
        // A refusal may be a moment old although the order is not: its apology gets the time that a mail may take.
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = TimeForApology, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = _compensating });
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = TimeForCompensation, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var findings = new Dictionary<(Guid, string, GapKind), Finding>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var finding = Describe(
                reader.GetGuid("order_id"),
                reader.GetString("effect"),
                reader.GetString("what"),
                (StepStatus?)reader.Optional<short>("status") ?? StepStatus.Waiting,
                reader.Optional<DateTimeOffset>("next_attempt_at")
            );
            findings.TryAdd((finding.SubjectId, finding.Effect, finding.Kind), finding);
        }

        return [.. findings.Values];
    }

    /// <inheritdoc />
    public async Task<OutboxMessage?> MessageForAsync(
        NpgsqlConnection connection,
        Guid subject,
        string effect,
        CancellationToken cancellationToken
    )
    {
        if (Array.Find(_compensating, step => effect == step + StepRun.CompensationSuffix) is { } compensating)
            return await CancelledAsync(connection, subject, compensating, cancellationToken);
        if (_afterAccepted.Contains(effect))
            return await AcceptedAsync(connection, subject, effect, cancellationToken);
        return _afterReserved.Contains(effect)
            ? await ReservedAsync(connection, subject, effect, cancellationToken)
            : null;
    }

    private static string[] StepsAfter<T>(StepCatalogue steps) =>
        [.. steps.Steps.Where(s => s.Consumes.Contains(typeof(T))).Select(s => s.Name)];

    private Finding Describe(Guid order, string effect, string what, StepStatus status, DateTimeOffset? nextAttempt) =>
        what switch
        {
            "missing" => new(
                order,
                effect,
                GapKind.Missing,
                Missing(effect, status, nextAttempt),
                IsSilent(effect, status, nextAttempt)
            ),
            "unapologised" => new(
                order,
                effect,
                GapKind.Missing,
                "The order was rejected and its customer has got no apology. It cannot be made again from here: look for the StockRejected message in email_error.",
                Silent: false
            ),
            "unmarked" => new(
                order,
                effect,
                GapKind.Contradiction,
                $"The effect of '{effect}' is done, and order_progress does not know it.",
                Silent: false
            ),
            "early" => new(order, effect, GapKind.Missing, "", Silent: false, IsEarly: true),
            "uncompensated" => new(
                order,
                effect,
                GapKind.Missing,
                $"The order was cancelled, and '{effect}' is overdue: look for its OrderCancelled message in the step's _error queue; if there is none, emit it again.",
                Silent: false
            ),
            "unreturned" => new(
                order,
                effect,
                GapKind.Contradiction,
                "The order was cancelled and its stock is given back, and its movements do not add up to zero.",
                Silent: false
            ),
            "uneffected" => new(
                order,
                effect,
                GapKind.Contradiction,
                $"order_progress says that '{effect}' is done, and there is no effect of it.",
                Silent: false
            ),
            "uninvoiced" => new(
                order,
                effect,
                GapKind.Contradiction,
                "The effect of 'invoice' is done, and no invoice with a document is stored.",
                Silent: false
            ),
            "underdrawn" => new(
                order,
                effect,
                GapKind.Contradiction,
                "The stock is reserved, and its movements are less than what was ordered.",
                Silent: false
            ),
            "overdrawn" => new(
                order,
                effect,
                GapKind.Doubled,
                "The movements of stock are more than what was ordered.",
                Silent: false
            ),
            "doubled" => new(
                order,
                effect,
                GapKind.Doubled,
                $"Expected one row for '{effect}', found more: a unique key is missing in the database.",
                Silent: false
            ),
            _ => throw new InvalidOperationException($"The statement found '{what}', which nobody describes."),
        };

    private string Missing(string effect, StepStatus status, DateTimeOffset? nextAttempt) =>
        status switch
        {
            StepStatus.Retrying when nextAttempt is { } at => string.Create(
                CultureInfo.InvariantCulture,
                $"The effect of '{effect}' is overdue; its last attempt failed, the next one is due at {at:u}."
            ),
            StepStatus.Failed or StepStatus.Uncertain =>
                $"The effect of '{effect}' is overdue; its message is dead-lettered ({status}): redrive it.",
            StepStatus.Waiting when _afterReserved.Contains(effect) =>
                $"The effect of '{effect}' is overdue; it was never begun. If 'inventory' is missing too, begin there.",
            _ => $"The effect of '{effect}' is overdue; the step stands at {status}.",
        };

    // A step that has begun is followed up by its own retries. One that has not, and whose message should have come, is
    // silent; unless it waits for another one that is missing.
    private bool IsSilent(string effect, StepStatus status, DateTimeOffset? nextAttempt) =>
        _afterAccepted.Contains(effect)
        && (
            status is StepStatus.Waiting
            || (status is StepStatus.Retrying && nextAttempt < DatabaseClock.UtcNow.AddHours(-1))
        );

    private async Task<OutboxMessage?> AcceptedAsync(
        NpgsqlConnection connection,
        Guid order,
        string step,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(OrderCompletenessSql.Accepted, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = order });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = _afterAccepted });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var id = reader.Optional<Guid>("kept_id") ?? OutgoingMessage.IdOf<OrderAccepted>(order);
        return OutgoingMessage.Create(
            new OrderAccepted(order, reader.GetBoolean("premium"), reader.GetFieldValue<DateTimeOffset>("created_at")),
            order,
            id: id,
            queue: step
        );
    }

    // To the one step only. The id is the same each time, so that what is emitted twice is a copy; the compensation
    // happens once by its effect.
    private static async Task<OutboxMessage?> CancelledAsync(
        NpgsqlConnection connection,
        Guid order,
        string step,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(OrderCompletenessSql.Cancelled, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = order });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime at
            ? OutgoingMessage.Create(
                new OrderCancelled(order, new DateTimeOffset(at)),
                order,
                id: OutgoingMessage.IdOf<OrderCancelled>(order, step),
                priority: OrderPriority.Cancellation,
                queue: step
            )
            : null;
    }

    private async Task<OutboxMessage?> ReservedAsync(
        NpgsqlConnection connection,
        Guid order,
        string step,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(OrderCompletenessSql.Reserved, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = order });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = _afterReserved });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var id = reader.Optional<Guid>("kept_id") ?? OutgoingMessage.IdOf<StockReserved>(reader.GetGuid("reserved_by"));
        return OutgoingMessage.Create(
            new StockReserved(order, reader.GetFieldValue<DateTimeOffset>("at")),
            order,
            id: id,
            queue: step
        );
    }
}
