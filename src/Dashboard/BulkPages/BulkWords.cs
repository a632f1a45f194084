using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Bulk;
using QueueWorkers.Bulk;

namespace Orders.Dashboard.BulkPages;

/// <summary>What the pages call a bulk action: verb first, with the number.</summary>
internal static class BulkWords
{
    /// <summary>"Cancel 124 orders", for a title and for the button that confirms it.</summary>
    public static string Act(BulkAction action) =>
        Act(action.Kind, action.Step, Texts.Count(action.Total), action.Total == 1);

    /// <summary>The same for a number in words.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="step">The step that is replayed.</param>
    /// <param name="number">How many: "124", "more than 10,000".</param>
    /// <param name="isOne">Whether it is one.</param>
    public static string Act(string kind, string? step, string number, bool isOne) =>
        kind switch
        {
            CancelOrders.KindName => $"Cancel {number} {(isOne ? "order" : "orders")}",
            ReplayStep.KindName => $"Replay {step} for {number} {(isOne ? "order" : "orders")}",
            ArchiveFailures.KindName => $"Archive {number} {(isOne ? "failure" : "failures")}",
            _ => $"{kind.Replace('-', ' ')}: {number}",
        };

    /// <summary>What has come of a target that was acted on.</summary>
    public static string Done(string kind) =>
        kind switch
        {
            CancelOrders.KindName => "Cancelled",
            ReplayStep.KindName => "Replayed",
            ArchiveFailures.KindName => "Archived",
            _ => "Done",
        };

    /// <summary>The page of the navigation that it belongs to.</summary>
    public static string Place(string kind) => kind == ArchiveFailures.KindName ? "Failures" : "Orders";

    /// <summary>Where a target has its page.</summary>
    public static string AddressOf(string kind, Guid target) =>
        kind == ArchiveFailures.KindName ? $"/failures/{target}" : $"/orders/{target}";

    /// <summary>The colour of a state.</summary>
    public static string? ColourOf(BulkAction action) =>
        action.State switch
        {
            BulkState.Finished => action.Refused > 0 ? "bad" : "good",
            BulkState.Paused or BulkState.Ended => "warn",
            _ => null,
        };
}
