using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;

namespace QueueWorkers.Topology;

/// <summary>
/// Sends the messages again that were lost with a queue, and those that found no queue. From the database, where they
/// are committed. The steps drop the copies.
/// </summary>
internal sealed class LostMessageSender(
    NpgsqlDataSource database,
    TopologyRepair repair,
    ILostMessages lost,
    Redrives redrives,
    ILogger<LostMessageSender> logger
)
{
    // What a restored message needs is in its row; the reconciler publishes it.
    private static readonly string Restore = $"""
        with missing as (select id from failures where queue = $1
            and ((state = {FailureState.Failed:D} and removed_at is null)
            or (state = {FailureState.Gone:D} and closed_at > now() - interval '2 minutes')) order by id
            for no key update)
        update failures f set state = {FailureState.Failed:D}, removed_at = now(), closed_at = null,
            note = 'Its queue was deleted; the message is put back.' from missing where f.id = missing.id
        """;

    // What expired in a dead-letter queue is still in the index, as gone.
    private static readonly string RestoreExpired = $"""
        with expired as (select id from failures where queue = $1 and state = {FailureState.Gone:D} and closed_at > $2
            order by id for no key update)
        update failures f set state = {FailureState.Failed:D}, removed_at = now(), closed_at = null,
            note = 'Dropped from its queue by a broker policy; the message is put back.' from expired
            where f.id = expired.id
        """;

    // Rows that the broker refused while the topology was broken wait up to five minutes; it is whole again.
    private const string Wake =
        "update outbox set due_at = now() where dead_at is null and attempts > 0 and due_at > now() and exchange = any($1)";

    /// <summary>Sends the messages of a queue again that may have been lost.</summary>
    /// <returns>How many.</returns>
    public async Task<int> SendAgainAsync(ExpectedQueue queue, CancellationToken cancellationToken)
    {
        var count =
            queue.Role == QueueRole.Step
                ? await lost.SendAgainAsync(queue.Name, cancellationToken)
                : await RestoreAsync(queue.Name, cancellationToken);
        await WakeAsync(queue, cancellationToken);
        return count;
    }

    /// <summary>Sends the messages of a step again that it has not done.</summary>
    /// <returns>How many.</returns>
    public Task<int> SendUndoneAgainAsync(string step, CancellationToken cancellationToken) =>
        lost.SendAgainAsync(step, cancellationToken);

    /// <summary>Puts back what a policy dropped from a dead-letter queue since a moment.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RestoreExpiredAsync(string queue, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(RestoreExpired);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = since });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Redrives what stands in "unrouted": to the exchange of its type once more. A step that has had the message drops
    /// the copy.
    /// </summary>
    public async Task RedriveUnroutedAsync(DateTimeOffset from, CancellationToken cancellationToken)
    {
        var filter = new FailureFilter { Queue = WellKnownQueues.Unrouted, From = from };
        var request = new RedriveRequest
        {
            Filter = filter,
            Reason = "Their queue was deleted, and is there again.",
            Canary = 0,
            RatePerSecond = 200,
            StopPercent = 100,
            Start = true,
        };
        var record = new AuditEntry
        {
            Who = "topology",
            Role = nameof(OperatorRole.Operator),
            Action = "redrive",
            Reason = request.Reason,
        };
        if ((await redrives.CreateAsync(request, record, null, cancellationToken)).Made is { } made)
            TopologyLog.Redriven(logger, made.Redrive.Id, made.Redrive.Total);
    }

    // Only where the queue is empty: with messages in it, it was not deleted, and the reconciler compares it row by
    // row.
    private async Task<int> RestoreAsync(string queue, CancellationToken cancellationToken)
    {
        if (await repair.CountAsync(queue, cancellationToken) > 0)
            return 0;
        await using var command = database.CreateCommand(Restore);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task WakeAsync(ExpectedQueue queue, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Wake);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [queue.Name, .. queue.Exchanges] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
