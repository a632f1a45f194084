using System.Globalization;
using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;

namespace QueueWorkers.Consuming.Watching;

/// <summary>
/// How long a message may wait because the database refuses a statement (<see cref="DatabaseFaultKind.Refused"/>): long
/// enough for a deployment, and not for ever, because the statement may be a step's own and wrong. The time at which
/// the wait began travels with the message, so that it survives a restart; any other deferral and any counted attempt
/// begins a new wait.
/// </summary>
internal sealed class RefusedSince(TimeSpan? longest = null)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a run that is finished waits in memory for its commit: what it did outside is known now, and might not
    /// be after another delivery.
    /// </summary>
    public static TimeSpan LongestCommit { get; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message may wait before such a fault counts as an attempt. Default: 10 minutes.</summary>
    public TimeSpan Longest { get; } = longest ?? TimeSpan.FromMinutes(10);

    /// <summary>Since when a message has been waiting; now when it has not been.</summary>
    public static DateTimeOffset Of(ConsumeContext context)
    {
        var now = DatabaseClock.UtcNow;
        return
            long.TryParse(
                context.ReceiveContext.TransportHeaders.Get<string>(SendContextRow.RefusedSinceHeader),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var since
            )
            // A time in the future comes from a foreign message: the wait would never end.
            && since <= now.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(since)
            : now;
    }

    /// <summary>Whether a fault is the database's and the message goes on waiting for it without an attempt.</summary>
    public bool IsWait(ConsumeContext context, Exception fault) =>
        StepFailures.IsDatabaseFault(fault)
        && (
            DatabaseFault.KindOf(fault) is not DatabaseFaultKind.Refused || DatabaseClock.UtcNow - Of(context) < Longest
        );

    /// <summary>
    /// When a message that has been waiting comes again: later each time, so that a long backlog does not circulate.
    /// </summary>
    public static DateTimeOffset Next(DateTimeOffset since)
    {
        var now = DatabaseClock.UtcNow;
        return now + TimeSpan.FromTicks(Math.Clamp((now - since).Ticks / 2, ShortestPause.Ticks, LongestPause.Ticks));
    }
}

/// <summary>Says that steps wait for the database: once a second per step, however many messages do.</summary>
internal sealed class DatabaseWaitLog
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long SaidAt, int Unsaid)> _steps = [];

    /// <summary>A message waits.</summary>
    public void Say(ILogger logger, string step, Exception fault)
    {
        int count;
        lock (_lock)
        {
            var (saidAt, unsaid) = _steps.GetValueOrDefault(step, (SaidAt: -1000, Unsaid: 0));
            count = unsaid + 1;
            var isDue = Environment.TickCount64 - saidAt >= 1000;
            _steps[step] = isDue ? (Environment.TickCount64, 0) : (saidAt, count);
            if (!isDue)
                return;
        }

        StepLog.WaitsForDatabase(logger, step, count, DatabaseFault.Explain(fault));
    }
}
