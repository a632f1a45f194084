using Npgsql;
using QueueWorkers.Messaging;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>The queues in which dead-lettered messages stand, of every step there ever was.</summary>
public static class DeadLetterQueues
{
    /// <summary>Their names.</summary>
    public static async Task<IReadOnlyList<string>> ReadAsync(
        NpgsqlDataSource database,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand("select step from step_catalogue order by position");
        var queues = new List<string>();
        Failpoint.Hit("deadletter.before_read_queues", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            queues.AddRange([$"{reader.GetString(0)}_error", $"{reader.GetString(0)}_skipped"]);
        return [.. queues, WellKnownQueues.Unrouted];
    }
}
