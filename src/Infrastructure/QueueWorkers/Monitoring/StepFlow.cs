using Npgsql;

namespace QueueWorkers.Monitoring;

/// <summary>Which messages start which steps, as the deployment wrote them down.</summary>
/// <param name="Steps">The steps in use, in the order of the catalogue.</param>
/// <param name="Subscribers">Queues of other systems, with the exchanges that they are bound to.</param>
public sealed record StepFlow(IReadOnlyList<FlowStep> Steps, IReadOnlyList<FlowSubscriber> Subscribers);

/// <summary>A step in the flow.</summary>
/// <param name="Name">The step, and its queue.</param>
/// <param name="Exchanges">The exchanges of the messages that start it, such as <c>Shop.Contracts:ParcelSent</c>.</param>
/// <param name="DependsOn">The outside system that it needs; null for none.</param>
/// <param name="IsRequired">Whether a subject is complete only when it is done.</param>
public sealed record FlowStep(string Name, IReadOnlyList<string> Exchanges, string? DependsOn, bool IsRequired);

/// <summary>A queue of another system.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Exchanges">The exchanges of the events that it gets.</param>
public sealed record FlowSubscriber(string Queue, IReadOnlyList<string> Exchanges);

/// <summary>Reads the flow.</summary>
public sealed class StepFlowReader(NpgsqlDataSource database)
{
    private const string Steps =
        "select step, consumes, depends_on, required from step_catalogue where active order by position";

    private const string Subscribers =
        "select queue, array_agg(exchange order by exchange) from subscriptions group by queue order by queue";

    /// <summary>Reads it.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<StepFlow> ReadAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Steps));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Subscribers));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var steps = new List<FlowStep>();
        while (await reader.ReadAsync(cancellationToken))
            steps.Add(
                new FlowStep(
                    reader.GetString(0),
                    reader.GetFieldValue<string[]>(1),
                    await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetString(2),
                    reader.GetBoolean(3)
                )
            );
        await reader.NextResultAsync(cancellationToken);
        var subscribers = new List<FlowSubscriber>();
        while (await reader.ReadAsync(cancellationToken))
            subscribers.Add(new FlowSubscriber(reader.GetString(0), reader.GetFieldValue<string[]>(1)));
        return new StepFlow(steps, subscribers);
    }
}
