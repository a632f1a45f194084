using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Outbox;

/// <summary>
/// Offers rows that a database context has saved to the relay once they are committed, and never before: a message on
/// its way while its transaction rolls back would be one about something that never happened.
/// </summary>
public sealed class OutboxCommitInterceptor(RelayFeed relay) : SaveChangesInterceptor, IDbTransactionInterceptor
{
    private readonly ConditionalWeakTable<DbContext, List<(OutboxMessage Message, bool Delayed)>> _saved = [];

    /// <inheritdoc />
    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Collect(eventData.Context);
        return result;
    }

    /// <inheritdoc />
    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default
    )
    {
        Collect(eventData.Context);
        return ValueTask.FromResult(result);
    }

    /// <inheritdoc />
    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        OfferUnlessInTransaction(eventData.Context);
        return result;
    }

    /// <inheritdoc />
    public override ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    )
    {
        OfferUnlessInTransaction(eventData.Context);
        return ValueTask.FromResult(result);
    }

    /// <inheritdoc />
    public override void SaveChangesFailed(DbContextErrorEventData eventData) => Forget(eventData.Context);

    /// <inheritdoc />
    public override Task SaveChangesFailedAsync(
        DbContextErrorEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Forget(eventData.Context);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) =>
        Offer(eventData.Context);

    /// <inheritdoc />
    public Task TransactionCommittedAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Offer(eventData.Context);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) =>
        Forget(eventData.Context);

    /// <inheritdoc />
    public Task TransactionRolledBackAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Forget(eventData.Context);
        return Task.CompletedTask;
    }

    private void Collect(DbContext? context)
    {
        if (context is null)
            return;
        // Looked at before the insert: after it EF Core has filled in the due time that the database made up, which is
        // the lease and no delay.
        var added = context
            .ChangeTracker.Entries<OutboxMessage>()
            .Where(e => e.State == EntityState.Added)
            .Select(e => (e.Entity, e.Entity.DueAt is not null));
        _saved.GetOrCreateValue(context).AddRange(added);
    }

    private void OfferUnlessInTransaction(DbContext? context)
    {
        if (context is { Database.CurrentTransaction: null })
            Offer(context);
    }

    private void Offer(DbContext? context)
    {
        if (context is null || !_saved.TryGetValue(context, out var messages))
            return;
        _saved.Remove(context);
        foreach (var (message, delayed) in messages)
            relay.Offer(message, delayed);
    }

    private void Forget(DbContext? context)
    {
        if (context is not null)
            _saved.Remove(context);
    }
}
