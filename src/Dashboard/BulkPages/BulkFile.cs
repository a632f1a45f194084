using Orders.Infrastructure.Failures;
using QueueWorkers.Bulk;

namespace Orders.Dashboard.BulkPages;

/// <summary>What the page of a bulk action is made of.</summary>
/// <param name="Action">The bulk action; null when there is none.</param>
/// <param name="Samples">The first targets whose turn has not come.</param>
/// <param name="Refused">The first targets with which it could not be done, and why.</param>
/// <param name="Skipped">The first targets that were left alone, and why.</param>
/// <param name="Numbers">The numbers of those of them that are orders.</param>
public sealed record BulkFile(
    BulkAction? Action,
    IReadOnlyList<BulkItem> Samples,
    IReadOnlyList<BulkItem> Refused,
    IReadOnlyList<BulkItem> Skipped,
    IReadOnlyDictionary<Guid, string> Numbers
)
{
    private const int MostExamples = 10;

    /// <summary>Reads it.</summary>
    public static async Task<BulkFile> ReadAsync(
        Guid id,
        BulkReader reader,
        OrderFailures orders,
        CancellationToken cancellationToken
    )
    {
        if (await reader.FindAsync(id, cancellationToken) is not { } action)
            return new BulkFile(null, [], [], [], new Dictionary<Guid, string>());
        Task<IReadOnlyList<BulkItem>> SomeAsync(BulkItemState state, bool isWanted) =>
            isWanted
                ? reader.ItemsAsync(id, state, null, MostExamples, cancellationToken)
                : Task.FromResult<IReadOnlyList<BulkItem>>([]);
        var samples = await SomeAsync(BulkItemState.Waiting, action.State == BulkState.Rehearsed);
        var refused = await SomeAsync(BulkItemState.Refused, action.Refused > 0);
        var skipped = await SomeAsync(BulkItemState.Skipped, action.Skipped > 0);
        return new BulkFile(
            action,
            samples,
            refused,
            skipped,
            await orders.NumbersAsync(
                [.. samples.Concat(refused).Concat(skipped).Select(item => item.TargetId)],
                cancellationToken
            )
        );
    }

    /// <summary>What a target is called.</summary>
    public string NameOf(BulkItem item) => Numbers.GetValueOrDefault(item.TargetId) ?? item.TargetId.ToString()[..13];
}
