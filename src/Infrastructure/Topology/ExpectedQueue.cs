using Npgsql;
using Orders.Infrastructure.Deployment;

namespace Orders.Infrastructure.Topology;

/// <summary>What a queue is for.</summary>
internal enum QueueRole
{
    /// <summary>A step consumes it.</summary>
    Step,

    /// <summary>Keeps messages for an operator: <c>_error</c>, <c>_skipped</c>, <c>unrouted</c>.</summary>
    Parked,

    /// <summary>Another system consumes it.</summary>
    Subscriber,
}

/// <summary>A queue that the deployment has made, with an exchange of the same name bound to it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Exchanges">The exchanges of the message types that must be bound to its own.</param>
internal sealed record ExpectedQueue(string Name, QueueRole Role, IReadOnlyList<string> Exchanges)
{
    private const string Steps = "select step, consumes from step_catalogue where active order by position";
    private const string Subscriptions = "select queue, array_agg(exchange) from subscriptions group by queue order by queue";

    /// <summary>The queues of the steps that are in use. Those of a step that was retired may be deleted by anybody.</summary>
    public static async Task<IReadOnlyList<ExpectedQueue>> ReadAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Steps));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Subscriptions));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var queues = new List<ExpectedQueue>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var step = reader.GetString(0);
            queues.Add(new ExpectedQueue(step, QueueRole.Step, reader.GetFieldValue<string[]>(1)));
            queues.Add(new ExpectedQueue($"{step}_error", QueueRole.Parked, []));
            queues.Add(new ExpectedQueue($"{step}_skipped", QueueRole.Parked, []));
        }

        if (queues.Count == 0)
            return [];
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!queues.Exists(q => q.Name == reader.GetString(0)))
                queues.Add(new ExpectedQueue(reader.GetString(0), QueueRole.Subscriber, reader.GetFieldValue<string[]>(1)));
        }

        return [.. queues, new ExpectedQueue(BrokerDeployment.Unrouted, QueueRole.Parked, [])];
    }
}
