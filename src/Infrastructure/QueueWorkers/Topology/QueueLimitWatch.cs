using Microsoft.Extensions.Logging;

namespace QueueWorkers.Topology;

/// <summary>
/// Finds broker policies that limit our queues, and sends again what a queue loses by one.
/// What is over a limit goes to the dead-letter queue where our own policy is in force beside the limit. Where another
/// policy took its place, it is lost: the mark "settled" is taken away until the limit is gone, so that what was lost is
/// sent again, also by a process that is started later.
/// </summary>
internal sealed class QueueLimitWatch(
    TopologyReader reader,
    TopologyRepair repair,
    LostMessageSender sender,
    TopologyMetrics metrics,
    TimeProvider time,
    ILogger<QueueLimitWatch> logger
)
{
    private const int LooksPerLimits = 5;

    private static readonly TimeSpan BetweenCopies = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestBetweenCopies = TimeSpan.FromMinutes(30);

    // The index takes some seconds to believe that a message is gone.
    private static readonly TimeSpan RestoreFor = TimeSpan.FromMinutes(2);

    private readonly HashSet<string> _losing = [];
    private readonly Dictionary<string, (DateTimeOffset At, TimeSpan Wait)> _sentAgain = [];
    private readonly Dictionary<string, DateTimeOffset> _limitedSince = [];
    private readonly Dictionary<string, (DateTimeOffset Since, DateTimeOffset Until)> _restoring = [];
    private IReadOnlyList<QueueLimit> _limits = [];
    private int _looks;

    /// <summary>What is limited now. Replaced as a whole by each look.</summary>
    public IReadOnlyList<TopologyFinding> Findings { get; private set; } = [];

    /// <summary>Whether a queue loses messages by a limit.</summary>
    public bool IsLosing(string queue) => _losing.Contains(queue);

    /// <summary>Looks, at every fifth call.</summary>
    /// <param name="expected">Our queues.</param>
    /// <param name="bindings">All bindings; the mark of a queue that loses messages is removed from it, too.</param>
    /// <param name="longestPause">The longest time between two calls.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task LookAsync(
        IReadOnlyList<ExpectedQueue> expected,
        HashSet<Binding> bindings,
        TimeSpan longestPause,
        CancellationToken cancellationToken
    )
    {
        if (_looks++ % LooksPerLimits != 0)
            return;
        var ours = expected.ToDictionary(q => q.Name);
        QueueLimit[] limits = [.. (await reader.LimitsAsync(cancellationToken)).Where(l => ours.ContainsKey(l.Queue))];
        foreach (var limit in limits.ExceptBy(_limits.Select(Said), Said))
            TopologyLog.Limited(logger, limit.Queue, limit.Policy, limit.Limits);
        foreach (var ended in _limits.ExceptBy(limits.Select(l => l.Queue), l => l.Queue))
        {
            // After a fault further down, the same end is met once more.
            if (
                _limitedSince.Remove(ended.Queue, out var began)
                && ours.GetValueOrDefault(ended.Queue)?.Role == QueueRole.DeadLettered
            )
                _restoring[ended.Queue] = (began, time.GetUtcNow() + RestoreFor);
        }

        foreach (var (queue, (since, until)) in _restoring.ToArray())
        {
            await RestoreAsync(queue, since, cancellationToken);
            if (until < time.GetUtcNow())
                _restoring.Remove(queue);
        }

        _losing.Clear();
        // All of them before anything that may fail: a queue that is taken for whole is settled.
        _losing.UnionWith(limits.Where(l => Loses(ours[l.Queue], l)).Select(l => l.Queue));
        foreach (var queue in _sentAgain.Keys.Where(q => !_losing.Contains(q)).ToArray())
            _sentAgain.Remove(queue);
        foreach (var limit in limits)
        {
            var queue = ours[limit.Queue];
            // Messages may have been lost since the look before this one.
            _limitedSince.TryAdd(queue.Name, time.GetUtcNow() - (LooksPerLimits * longestPause));
            if (Loses(queue, limit))
                await SendWhileLimitedAsync(queue, limit, bindings, cancellationToken);
        }

        Findings = [.. limits.Select(l => new TopologyFinding(l.Queue, Says(ours[l.Queue], l), IsOpen: true))];
        _limits = limits;

        static bool Loses(ExpectedQueue queue, QueueLimit limit) =>
            queue.Role == QueueRole.Step && limit.DeadLettersTo is null;
        static (string, string, string) Said(QueueLimit limit) => (limit.Queue, limit.Policy, limit.Limits);
    }

    private static string Says(ExpectedQueue queue, QueueLimit limit) =>
        $"Policy {limit.Policy} limits queue {limit.Queue}: {limit.Limits}. {Consequence(queue, limit)} Remove the limit from the policy.";

    private static string Consequence(ExpectedQueue queue, QueueLimit limit) =>
        queue.Role switch
        {
            QueueRole.Step when limit.DeadLettersTo is { } to =>
                $"Messages over it are refused, or dead-lettered to {to}: redrive them afterwards.",
            QueueRole.Step => "Messages over it are lost: they are published again, at the latest when it is gone.",
            QueueRole.DeadLettered =>
                "Messages over it are dropped or refused; what the index knows is put back when it is gone.",
            _ => "Messages over it are dropped or refused.",
        };

    // The database knows what the step has not done. While its queue is empty, that is what was lost, and a message
    // that a worker holds this very moment: its copy is dropped by the step.
    private async Task SendWhileLimitedAsync(
        ExpectedQueue queue,
        QueueLimit limit,
        HashSet<Binding> bindings,
        CancellationToken cancellationToken
    )
    {
        if (bindings.Remove(TopologyMarks.Settled(queue)))
            await repair.UnsettleAsync(queue, cancellationToken);
        var now = time.GetUtcNow();
        var last = _sentAgain.GetValueOrDefault(queue.Name, (At: DateTimeOffset.MinValue, Wait: TimeSpan.Zero));
        if (!limit.IsEmpty || now - last.At < last.Wait)
            return;
        // Twice as long each time: while no worker runs and the limit stays, all of it is lost once more.
        var wait = last.Wait == TimeSpan.Zero ? BetweenCopies : last.Wait * 2;
        _sentAgain[queue.Name] = (now, wait < LongestBetweenCopies ? wait : LongestBetweenCopies);
        var count = await sender.SendUndoneAgainAsync(queue.Name, cancellationToken);
        if (count == 0)
            return;
        metrics.SentAgain(queue.Name, count);
        TopologyLog.SentAgain(logger, queue.Name, count);
    }

    private async Task RestoreAsync(string queue, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var count = await sender.RestoreExpiredAsync(queue, since, cancellationToken);
        if (count > 0)
            TopologyLog.PutBack(logger, queue, count);
    }
}
