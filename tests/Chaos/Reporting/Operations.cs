using Orders.Chaos.Checking;
using Orders.Chaos.Clients;

namespace Orders.Chaos.Reporting;

/// <summary>What people did to the system during a run.</summary>
/// <param name="Stops">Workers that were asked to end.</param>
/// <param name="Redrives">The redrives with their totals, the newest first.</param>
/// <param name="Calls">What operators asked for.</param>
/// <param name="Cleared">How long it took in the end until nothing was dead-lettered any more; null when something
/// stayed.</param>
public sealed record Operations(
    IReadOnlyList<WorkerStop> Stops,
    IReadOnlyList<RedriveTotals> Redrives,
    IReadOnlyList<OperatorCall> Calls,
    TimeSpan? Cleared
)
{
    /// <summary>Nobody did anything.</summary>
    public static Operations None { get; } = new([], [], [], TimeSpan.Zero);
}
