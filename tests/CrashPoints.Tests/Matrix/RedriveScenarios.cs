using Orders.CrashPoints.Tests.Lanes;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>
/// What operators do with dead-lettered orders so that their process comes by a failpoint: mostly a redrive, and some
/// of them need more.
/// </summary>
internal static class RedriveScenarios
{
    private static readonly string[] Areas = ["redrive", "deadletter"];

    private static readonly Dictionary<string, Func<FailedOrders, Task>> Special = new()
    {
        ["redrive.before_stop"] = Early,
        ["redrive.after_stop"] = Early,
        ["redrive.before_change"] = Early,
        ["redrive.before_commit_change"] = Early,
        ["redrive.after_commit_change"] = Early,
        ["redrive.before_cancel"] = Planned,
        ["redrive.after_cancel"] = Planned,
        ["deadletter.before_archive"] = PutAway,
        ["deadletter.before_mark_archived"] = PutAway,
        ["deadletter.before_commit_archive"] = PutAway,
        ["deadletter.after_commit_archive"] = PutAway,
        ["deadletter.before_restore"] = PutAway,
        ["deadletter.before_commit_restore"] = PutAway,
        ["deadletter.after_commit_restore"] = PutAway,
        ["deadletter.before_channel"] = PutAway,
        ["deadletter.before_put_back"] = PutAway,
        ["deadletter.after_put_back"] = PutAway,
        ["deadletter.before_mark_put_back"] = PutAway,
        ["deadletter.after_mark_put_back"] = PutAway,
        ["deadletter.before_close_missing"] = Purged,
        ["deadletter.after_close_missing"] = Purged,
        ["deadletter.before_set_copies"] = Copied,
        ["deadletter.after_set_copies"] = Copied,
        ["deadletter.before_close_done"] = Copied,
        ["deadletter.after_close_done"] = Copied,
        ["deadletter.before_late_record"] = Copied,
        ["deadletter.after_late_record"] = Copied,
        ["deadletter.before_read_unrecorded"] = Found,
        ["deadletter.before_settle"] = Unsure,
        ["deadletter.before_find_uncertain"] = Unsure,
        ["deadletter.before_write_settled"] = Unsure,
        ["deadletter.before_commit_settled"] = Unsure,
        ["deadletter.after_commit_settled"] = Unsure,
        ["deadletter.before_add"] = Found,
        ["deadletter.before_return"] = Found,
        ["deadletter.after_return"] = Found,
        ["deadletter.before_lock_rows"] = Found,
        ["deadletter.before_index"] = Found,
        ["deadletter.after_index"] = Found,
        ["deadletter.before_record_step"] = Found,
        ["deadletter.after_record_step"] = Found,
        ["deadletter.before_commit_added"] = Found,
        ["deadletter.after_commit_added"] = Found,
    };

    /// <summary>Failpoints of redrive and reconciler.</summary>
    public static IEnumerable<string> Names => Failpoints.Names.Where(name => Areas.Contains(name.Split('.')[0]));

    /// <summary>Failpoints that have a scenario of their own and do not exist.</summary>
    public static IEnumerable<string> Forgotten => Special.Keys.Except(Names);

    /// <summary>What is done, from dead-lettered orders to orders that are done.</summary>
    public static Func<FailedOrders, Task> Of(string failpoint) =>
        Special.GetValueOrDefault(failpoint, deadLettered => deadLettered.RedriveAsync());

    private static Task Early(FailedOrders deadLettered) => deadLettered.RedriveTooEarlyAsync();

    private static Task Planned(FailedOrders deadLettered) => deadLettered.PlanAndRedriveAsync();

    private static Task PutAway(FailedOrders deadLettered) => deadLettered.PutAwayAndRedriveAsync();

    private static Task Purged(FailedOrders deadLettered) => deadLettered.PurgeAndRedriveAsync();

    private static Task Copied(FailedOrders deadLettered) => deadLettered.CopyAndRedriveAsync();

    private static Task Unsure(FailedOrders deadLettered) => deadLettered.SettleAndRedriveAsync();

    private static Task Found(FailedOrders deadLettered) => deadLettered.FindAndRedriveAsync();
}
