using Npgsql;
using QueueWorkers.Outbox;

namespace QueueWorkers.Replays;

/// <summary>What the application knows of its past: implemented once.</summary>
public interface IReplaySource
{
    /// <summary>Refuses what cannot be replayed.</summary>
    /// <param name="stepName">The step to be fed.</param>
    /// <param name="filter">Which subjects, in the application's own terms (JSON).</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ReplayRefusedException">With what was expected and what was found.</exception>
    Task CheckAsync(string stepName, string filter, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the next subjects, in the order of their ids, and makes the messages for those that the step has not been
    /// done for.
    /// </summary>
    /// <param name="connection">The open transaction, in which the messages and the cursor are written.</param>
    /// <param name="replay">The replay, with its cursor.</param>
    /// <param name="limit">The most subjects to look at.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task<ReplayBatch> NextAsync(
        NpgsqlConnection connection,
        Replay replay,
        int limit,
        CancellationToken cancellationToken
    );
}

/// <summary>Subjects that were looked at.</summary>
/// <param name="Messages">What is to be sent.</param>
/// <param name="Seen">How many were looked at; fewer than asked for at the end.</param>
/// <param name="AlreadyDone">How many the step had been done for.</param>
/// <param name="Last">The last of them; null when there was none.</param>
public sealed record ReplayBatch(IReadOnlyList<OutboxMessage> Messages, int Seen, int AlreadyDone, Guid? Last);

/// <summary>A replay cannot be made.</summary>
public sealed class ReplayRefusedException(string message) : Exception(message);
