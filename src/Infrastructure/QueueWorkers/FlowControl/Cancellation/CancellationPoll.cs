using Microsoft.Extensions.Logging;
using QueueWorkers.Hosting;
using QueueWorkers.Steps.Reports;

namespace QueueWorkers.FlowControl.Cancellation;

/// <summary>
/// Once a second, while messages come or runs go on, asks what was cancelled (one indexed query for the whole process,
/// however many messages it works on), and writes what running steps have told about themselves.
/// </summary>
internal sealed partial class CancellationPoll(
    Cancellations cancellations,
    RunningSteps running,
    StepReports reports,
    TimeProvider time,
    ILogger<CancellationPoll> logger
) : ResilientLoop(time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (cancellations.IsUsed)
            await cancellations.RefreshAsync(cancellationToken);
        await reports.FlushAsync(running.Runs, cancellationToken);
        return Interval;
    }

    // Commits meet the cancellation by themselves, so nothing is wrong meanwhile, only slower.
    protected override void LogFault(Exception fault, TimeSpan retryAfter) => NoNews(logger, fault.Message);

    [LoggerMessage(
        2100,
        LogLevel.Warning,
        "Reading cancellations failed; until it succeeds, steps of cancelled subjects are undone after they were done. {Reason}"
    )]
    private static partial void NoNews(ILogger logger, string reason);
}
