using QueueWorkers.Clocks;
using QueueWorkers.Hosting;

namespace Orders.Producer.Api;

/// <summary>
/// Something read from the database again and again in the background. A failure is logged once, and the next try comes
/// by itself.
/// </summary>
/// <param name="what">What is refreshed, for the log.</param>
/// <param name="every">How often.</param>
/// <param name="log">The log.</param>
internal abstract class Refresh(string what, TimeSpan every, ILogger log) : ResilientLoop(DatabaseClock.Provider)
{
    // Until the first success nothing can be done, so ask more often.
    private static readonly TimeSpan WhenUrgent = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads it.</summary>
    protected abstract Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>Whether the service cannot work before the next success.</summary>
    protected virtual bool IsUrgent => false;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        return IsUrgent ? WhenUrgent : every;
    }

    /// <summary>True: whatever the reason, the next try may succeed, and the last known state stays in use.</summary>
    protected override bool IsOutage(Exception fault) => true;

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => IsUrgent ? WhenUrgent : every;

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        ApiLog.RefreshFailed(log, what, fault.Message, every);

    /// <inheritdoc />
    protected override void LogRecovery() => ApiLog.RefreshRecovered(log, what);
}
