using Npgsql;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Outbox;

namespace QueueWorkers.Bulk;

/// <summary>Something that can be done to many targets. It chooses them once, and acts on a few of them at a time.</summary>
public interface IBulkKind
{
    /// <summary>The name in addresses and rows, such as <c>cancel-orders</c>.</summary>
    string Name { get; }

    /// <summary>The most targets of one transaction.</summary>
    int Portion { get; }

    /// <summary>Targets a second, unless the operator says otherwise.</summary>
    int PerSecond { get; }

    /// <summary>Checks the request and reads what the choice needs, outside of its transaction.</summary>
    /// <param name="request">What an operator asks for.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InvalidFilterException">The filter is empty or cannot be used.</exception>
    /// <exception cref="BulkRefusedException">Something else is wrong.</exception>
    Task<BulkSelection> SelectAsync(BulkRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Acts on targets that still fit. Dying before the commit of the caller's transaction must leave nothing behind.
    /// </summary>
    /// <param name="connection">The open transaction, in which the targets are settled too.</param>
    /// <param name="action">The bulk action.</param>
    /// <param name="targets">At most <see cref="Portion"/> of its targets, in the order of their ids.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>What came of them; a target that is not named is gone.</returns>
    Task<BulkPortion> DoAsync(
        NpgsqlConnection connection,
        BulkAction action,
        IReadOnlyList<Guid> targets,
        CancellationToken cancellationToken
    );
}

/// <summary>Which targets a request is about.</summary>
/// <param name="Filter">The filter in one form, as it is stored (JSON).</param>
/// <param name="ChooseAsync">
/// Writes the targets into <c>bulk_items</c> for a bulk action, at most one more than
/// <see cref="BulkRequest.MostTargets"/>, in one statement of the open transaction, and uses no other connection.
/// </param>
public sealed record BulkSelection(
    string Filter,
    Func<NpgsqlConnection, Guid, CancellationToken, Task<BulkRehearsal>> ChooseAsync
);

/// <summary>What came of some targets.</summary>
/// <param name="Settled">The targets.</param>
/// <param name="Messages">Messages that were written into the outbox for them.</param>
/// <param name="Committed">What follows the commit, and may be lost: a metric.</param>
public sealed record BulkPortion(
    IReadOnlyList<BulkSettled> Settled,
    IReadOnlyList<OutboxMessage> Messages,
    Action? Committed = null
);

/// <summary>What came of one target.</summary>
/// <param name="Target">The target.</param>
/// <param name="State">What came of it.</param>
/// <param name="Note">Why it was skipped or refused.</param>
public sealed record BulkSettled(Guid Target, BulkItemState State, string? Note = null);
