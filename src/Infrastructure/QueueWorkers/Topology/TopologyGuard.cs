using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Topology;

/// <summary>
/// Finds queues, exchanges and bindings that were deleted. <see cref="TopologyRepair"/> repairs what it may, and
/// <see cref="LostMessageSender"/> sends the messages again that were lost with them.
/// A loss is known even when somebody else has recreated the queue, because the queue has lost its marks
/// (<see cref="TopologyMarks"/>). In order:
/// 1. Something is missing twice in a row (once may be a deployment under way): the mark "settled" is removed, then the
///    rest is repaired.
/// 2. A complete queue without both marks is new: it gets the mark "begun".
/// 3. Its messages are sent again.
/// 4. It gets the mark "settled". Dying before this line repeats 2 to 4; the steps drop the copies. A queue that is
///    deleted in between has lost "begun".
/// A queue that loses messages by a policy (<see cref="QueueLimitWatch"/>) is treated like one that was deleted, once the
/// policy is gone.
/// Several processes may run it: what two of them do twice has no second effect.
/// </summary>
internal sealed class TopologyGuard(
    NpgsqlDataSource database,
    TopologyReader reader,
    TopologyRepair repair,
    LostMessageSender sender,
    QueueLimitWatch limits,
    TopologyMetrics metrics,
    TimeProvider time,
    ILogger<TopologyGuard> logger
) : ResilientLoop(time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Long enough to be seen by the alerts, which look every five seconds, and by whoever looks at the dashboard
    // because of one.
    private static readonly TimeSpan Shown = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan RedriveFor = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, (TopologyFinding Finding, DateTimeOffset Until)> _findings = new();
    private readonly HashSet<string> _suspects = [];
    private DateTimeOffset? _brokenSince;
    private DateTimeOffset _redriveUntil;

    /// <summary>What is wrong now, and what was in the last ten minutes.</summary>
    public IReadOnlyList<TopologyFinding> Findings =>
        [
            .. _findings
                .Values.Where(f => f.Until > Time.GetUtcNow())
                .Select(f => f.Finding)
                .Concat(limits.Findings)
                .OrderBy(f => f.Queue, StringComparer.Ordinal),
        ];

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var expected = await ExpectedQueue.ReadAsync(database, cancellationToken);
        var bindings = await reader.BindingsAsync(cancellationToken);
        await limits.LookAsync(expected, bindings, LongestPause, cancellationToken);
        var whole = true;
        foreach (var queue in expected)
            whole &= await LookAtAsync(queue, bindings, cancellationToken);
        if (whole && _brokenSince is { } since)
            await RedriveUnroutedAsync(since, cancellationToken);
    }

    /// <summary>True: the next look may succeed.</summary>
    protected override bool SurvivesDefects => true;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        // What is missing is told as soon as it is missing twice.
        return _suspects.Count > 0 ? Interval / 2 : Interval;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) =>
        fault is NpgsqlException or HttpRequestException or RabbitMQClientException or IOException or TimeoutException;

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(Interval, LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter)
    {
        if (IsOutage(fault))
            TopologyLog.CannotLook(logger, fault.Message, retryAfter);
        else
            TopologyLog.LoopFailed(logger, fault);
    }

    // Returns whether the queue is whole and settled.
    private async Task<bool> LookAtAsync(
        ExpectedQueue queue,
        HashSet<Binding> bindings,
        CancellationToken cancellationToken
    )
    {
        Binding[] missing = [.. Needed(queue).Where(b => !bindings.Contains(b))];
        var (begun, settled) = (
            bindings.Contains(TopologyMarks.Begun(queue)),
            bindings.Contains(TopologyMarks.Settled(queue))
        );
        if (missing.Length > 0)
        {
            // Seen for the first time: a deployment may be at it.
            if (_suspects.Add(queue.Name))
                return false;
            Report(queue, missing);
            if (!await repair.RepairAsync(queue, missing, settled, cancellationToken))
                return false;
        }
        else if (queue.Role == QueueRole.Subscriber || (begun && settled))
        {
            _suspects.Remove(queue.Name);
            if (IsReported(queue))
                Close(queue, $"Queue {queue.Name} was incomplete and is whole again.");
            return true;
        }

        // A limit by which it loses messages: settled only when that is gone.
        if (queue.Role == QueueRole.Subscriber || limits.IsLosing(queue.Name))
            return true;
        // No mark anywhere: this version sees the installation for the first time.
        var isFirst = !bindings.Any(b => b.Source == TopologyMarks.Exchange);
        await SettleAsync(queue, settledAlone: settled && !begun, isFirst, cancellationToken);
        return true;
    }

    // In the order in which they can be repaired.
    private static IEnumerable<Binding> Needed(ExpectedQueue queue) =>
        [
            new("", queue.Name, true, queue.Name),
            new(queue.Name, queue.Name, true, ""),
            .. queue.Exchanges.Select(e => new Binding(e, queue.Name, false, "")),
        ];

    private void Report(ExpectedQueue queue, Binding[] missing)
    {
        _brokenSince ??= Time.GetUtcNow();
        if (IsReported(queue))
            return;
        var what = string.Join(
            ", ",
            missing.Select(b =>
                b.Source == "" ? $"the queue {b.Destination}" : $"the binding {b.Source} → {b.Destination}"
            )
        );
        TopologyLog.Missing(logger, queue.Name, what);
        metrics.Lost(queue.Name);
        Show(
            new TopologyFinding(queue.Name, $"Missing: {what}. {Advice(queue)}", IsOpen: true),
            DateTimeOffset.MaxValue
        );
    }

    private bool IsReported(ExpectedQueue queue) =>
        _findings.TryGetValue(queue.Name, out var known) && known.Finding.IsOpen;

    private static string Advice(ExpectedQueue queue) =>
        queue.Role == QueueRole.Step
            ? $"Messages for it wait in {WellKnownQueues.Unrouted}. A running worker of {queue.Name} recreates its queue; else run `deploy`. Lost messages are sent again by themselves then."
            : "It is recreated by itself, or by `deploy`.";

    private async Task SettleAsync(
        ExpectedQueue queue,
        bool settledAlone,
        bool isFirst,
        CancellationToken cancellationToken
    )
    {
        await repair.BeginAsync(queue, settledAlone, cancellationToken);
        var count = await sender.SendAgainAsync(queue, cancellationToken);
        await repair.SettleAsync(queue, cancellationToken);

        _suspects.Remove(queue.Name);
        // A queue that is new, and for which nothing was waiting, has lost nothing.
        if (!IsReported(queue) && (count == 0 || isFirst))
            return;
        if (!IsReported(queue))
            metrics.Lost(queue.Name);
        metrics.SentAgain(queue.Name, count);
        TopologyLog.SentAgain(logger, queue.Name, count);
        Close(
            queue,
            $"Queue {queue.Name} was deleted, cut off or limited and is whole again; {count} messages that may have been lost were sent again at {Time.GetUtcNow():HH:mm:ss} UTC."
        );
    }

    private void Close(ExpectedQueue queue, string says)
    {
        _brokenSince ??= Time.GetUtcNow();
        _redriveUntil = Time.GetUtcNow() + RedriveFor;
        Show(new TopologyFinding(queue.Name, says, IsOpen: false), Time.GetUtcNow() + Shown);
    }

    private void Show(TopologyFinding finding, DateTimeOffset until) => _findings[finding.Queue] = (finding, until);

    // What comes into "unrouted" is indexed within some seconds: it is redriven for some time after the repair.
    private async Task RedriveUnroutedAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        if (Time.GetUtcNow() > _redriveUntil)
            _brokenSince = null;
        else
            await sender.RedriveUnroutedAsync(since - RedriveFor, cancellationToken);
    }
}
