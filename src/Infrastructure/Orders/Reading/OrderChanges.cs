using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>Where a watched order stands.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Status">Its status.</param>
/// <param name="EndedAt">When it was completed, rejected or cancelled; null before.</param>
/// <param name="Steps">Its steps, in the order of the catalogue.</param>
public sealed record OrderState(
    Guid OrderId,
    OrderStatus Status,
    DateTimeOffset? EndedAt,
    IReadOnlyList<ChangedStep> Steps
);

/// <summary>Where a step of a watched order stands.</summary>
/// <param name="Step">The step.</param>
/// <param name="Status">Its status.</param>
/// <param name="Attempts">Attempts made so far.</param>
/// <param name="At">When it ended, else when it began; null when it has not begun.</param>
public sealed record ChangedStep(string Step, StepStatus Status, int Attempts, DateTimeOffset? At);

/// <summary>Reads where many orders stand: one statement for all of them, and so one moment.</summary>
public sealed class OrderChangesReader(NpgsqlDataSource database)
{
    private const string States = """
        select p.order_id, p.status, coalesce(p.completed_at, p.rejected_at, p.cancelled_at) as ended_at, c.step,
            r.status as step_status, r.attempts, coalesce(r.finished_at, r.started_at) as at
        from order_progress p join step_catalogue c on c.bit & p.required <> 0
            left join step_runs r on r.subject_id = p.order_id and r.step = c.step
        where p.order_id = any($1) order by p.order_id, c.position
        """;

    internal const string Owned = "select exists (select from orders where id = $1 and client_id = $2)";

    /// <summary>Whether an order exists and belongs to a client.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<bool> ExistsAsync(Guid orderId, string clientId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Owned);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = clientId });
        Failpoint.Hit("api.before_look_for_order", Outside.Database);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Reads the orders' states.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<OrderState>> ReadAsync(Guid[] orderIds, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(States);
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = orderIds, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid }
        );
        Failpoint.Hit("api.before_read_states", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var states = new List<OrderState>(orderIds.Length);
        List<ChangedStep> steps = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            var (id, status) = (reader.GetGuid("order_id"), (OrderStatus)reader.GetInt16("status"));
            if (states.Count == 0 || states[^1].OrderId != id)
                states.Add(new OrderState(id, status, reader.Optional<DateTimeOffset>("ended_at"), steps = []));
            steps.Add(
                new ChangedStep(
                    reader.GetString("step"),
                    (StepStatus?)reader.Optional<short>("step_status") ?? PendingStep.StatusIn(status),
                    reader.Optional<int>("attempts") ?? 0,
                    reader.Optional<DateTimeOffset>("at")
                )
            );
        }

        return states;
    }
}
