using Orders.CrashPoints.Tests.Lanes;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>What operators do with parked orders so that their process comes by a failpoint: mostly a redrive, and some of them need more.</summary>
internal static class RedriveScenarios
{
    private static readonly string[] Areas = ["redrive", "parked"];

    private static readonly Dictionary<string, Func<ParkedOrders, Task>> Special = new()
    {
        ["redrive.before_stop"] = Early,
        ["redrive.after_stop"] = Early,
        ["redrive.before_change"] = Early,
        ["redrive.before_commit_change"] = Early,
        ["redrive.after_commit_change"] = Early,
        ["redrive.before_cancel"] = Planned,
        ["redrive.after_cancel"] = Planned,
        ["parked.before_archive"] = PutAway,
        ["parked.before_commit_archive"] = PutAway,
        ["parked.after_commit_archive"] = PutAway,
        ["parked.before_restore"] = PutAway,
        ["parked.before_commit_restore"] = PutAway,
        ["parked.after_commit_restore"] = PutAway,
        ["parked.before_channel"] = PutAway,
        ["parked.before_put_back"] = PutAway,
        ["parked.after_put_back"] = PutAway,
        ["parked.before_mark_put_back"] = PutAway,
        ["parked.after_mark_put_back"] = PutAway,
        ["parked.before_close_missing"] = Purged,
        ["parked.after_close_missing"] = Purged,
        ["parked.before_set_copies"] = Copied,
        ["parked.after_set_copies"] = Copied,
        ["parked.before_late_record"] = Copied,
        ["parked.after_late_record"] = Copied,
        ["parked.before_read_unrecorded"] = Found,
        ["parked.before_settle"] = Unsure,
        ["parked.before_find_uncertain"] = Unsure,
        ["parked.before_write_settled"] = Unsure,
        ["parked.before_commit_settled"] = Unsure,
        ["parked.after_commit_settled"] = Unsure,
        ["parked.before_add"] = Found,
        ["parked.before_index"] = Found,
        ["parked.after_index"] = Found,
        ["parked.before_record_step"] = Found,
        ["parked.after_record_step"] = Found,
        ["parked.before_commit_added"] = Found,
        ["parked.after_commit_added"] = Found,
    };

    /// <summary>Failpoints of redrive and reconciler.</summary>
    public static IEnumerable<string> Names => Failpoints.Names.Where(name => Areas.Contains(name.Split('.')[0]));

    /// <summary>Failpoints that have a scenario of their own and do not exist.</summary>
    public static IEnumerable<string> Forgotten => Special.Keys.Except(Names);

    /// <summary>What is done, from parked orders to orders that are done.</summary>
    public static Func<ParkedOrders, Task> Of(string failpoint) => Special.GetValueOrDefault(failpoint, parked => parked.RedriveAsync());

    private static Task Early(ParkedOrders parked) => parked.RedriveTooEarlyAsync();

    private static Task Planned(ParkedOrders parked) => parked.PlanAndRedriveAsync();

    private static Task PutAway(ParkedOrders parked) => parked.PutAwayAndRedriveAsync();

    private static Task Purged(ParkedOrders parked) => parked.PurgeAndRedriveAsync();

    private static Task Copied(ParkedOrders parked) => parked.CopyAndRedriveAsync();

    private static Task Unsure(ParkedOrders parked) => parked.SettleAndRedriveAsync();

    private static Task Found(ParkedOrders parked) => parked.FindAndRedriveAsync();
}
