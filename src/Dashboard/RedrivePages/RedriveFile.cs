using QueueWorkers.DeadLetters;
using QueueWorkers.Redrive;

namespace Orders.Dashboard.RedrivePages;

/// <summary>What the page of a redrive is made of.</summary>
/// <param name="Progress">How far it is; null when there is no such redrive.</param>
/// <param name="FailedAgain">The first messages that failed again.</param>
/// <param name="Skipped">The first messages that were not sent, and why.</param>
public sealed record RedriveFile(
    RedriveProgress? Progress,
    IReadOnlyList<RedriveItem> FailedAgain,
    IReadOnlyList<RedriveItem> Skipped
)
{
    private const int MostExamples = 10;

    /// <summary>Reads it.</summary>
    public static async Task<RedriveFile> ReadAsync(
        Guid id,
        RedriveReader redrives,
        CancellationToken cancellationToken
    )
    {
        var progress = await redrives.FindAsync(id, cancellationToken);
        return new RedriveFile(
            progress,
            progress is { FailedAgain: > 0 }
                ? await redrives.ItemsAsync(id, RedriveItemState.FailedAgain, null, MostExamples, cancellationToken)
                : [],
            progress is { Skipped: > 0 }
                ? await redrives.ItemsAsync(id, RedriveItemState.Skipped, null, MostExamples, cancellationToken)
                : []
        );
    }
}
