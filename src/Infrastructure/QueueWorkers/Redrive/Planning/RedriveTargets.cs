using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Messaging;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Redrive.Planning;

/// <summary>
/// Looks at the steps that redriven messages would go to: who works there, what waits there, and what holds the step
/// up.
/// </summary>
public sealed class RedriveTargets(
    NpgsqlDataSource database,
    [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker
)
{
    private const string Controls = """
        select c.step, coalesce(s.paused, false), coalesce(s.changed_by, ''), coalesce(s.reason, ''), b.dependency,
            coalesce(b.forced, b.state), b.forced is not null, b.reason
        from step_catalogue c left join step_controls s on s.step = c.step
            left join breakers b on b.dependency = c.depends_on where c.step = any($1)
        """;

    /// <summary>The targets of these messages, a step each.</summary>
    internal async Task<IReadOnlyList<RedriveTarget>> OfAsync(
        IReadOnlyCollection<Failure> messages,
        CancellationToken cancellationToken
    )
    {
        var held = await HeldUpAsync(
            [.. messages.Where(f => f.Step is not null).Select(f => f.Step!).Distinct()],
            cancellationToken
        );
        var targets = new List<RedriveTarget>();
        foreach (var group in messages.GroupBy(f => f.Step).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            targets.Add(
                group.Key is { } step
                    ? await TargetAsync(step, group.Count(), held.GetValueOrDefault(step), cancellationToken)
                    : new RedriveTarget(
                        null,
                        group.Count(),
                        null,
                        null,
                        true,
                        "To the exchange of the type: all steps that consume it now get it."
                    )
            );
        }

        return targets;
    }

    private async Task<RedriveTarget> TargetAsync(
        string step,
        int messages,
        string? heldUp,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var connection = await broker.OpenAsync(cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            var queue = await channel.QueueDeclarePassiveAsync(step, cancellationToken);
            // A step that is held up may have no consumers because of that: the reason is what an operator can change.
            var problem = heldUp ?? (queue.ConsumerCount > 0 ? null : "Its queue has no consumer.");
            return new RedriveTarget(step, messages, queue.MessageCount, queue.ConsumerCount, problem is null, problem);
        }
        catch (Exception away) when (away is RabbitMQClientException or IOException)
        {
            return new RedriveTarget(step, messages, null, null, false, $"The broker cannot be asked: {away.Message}");
        }
    }

    // Why a step does not take messages although its processes run.
    private async Task<Dictionary<string, string?>> HeldUpAsync(string[] steps, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Controls);
        command.Parameters.Add(new() { Value = steps });
        var held = new Dictionary<string, string?>();
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
        {
            held[r.GetString(0)] =
                r.GetBoolean(1) ? $"The step is paused by {r.GetString(2)}: {r.GetString(3)}"
                : !r.IsDBNull(5) && (BreakerState)r.GetInt16(5) != BreakerState.Closed
                    ? $"The breaker of {r.GetString(4)} is {(r.GetBoolean(6) ? "held " : "")}{Name((BreakerState)r.GetInt16(5))}: {r.GetString(7)}"
                : null;
        }

        return held;
    }

    private static string Name(BreakerState state) => state == BreakerState.Open ? "open" : "half open";
}
