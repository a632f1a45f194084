using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Topology;

/// <summary>
/// Finds queues, exchanges and bindings that were deleted, repairs what it may, and has the messages sent again that
/// went with them.
/// How a loss is known, even when somebody else has recreated the queue: each complete queue carries two marks,
/// bindings from an exchange to which nobody publishes. The broker removes them with the queue. In order:
/// 1. Something is missing twice in a row (once may be a deployment under way): the mark "settled" is taken away, then
///    the rest is repaired.
/// 2. A complete queue without both marks is new: it gets the mark "begun".
/// 3. Its messages are sent again from the database, which is committed.
/// 4. It gets the mark "settled". Dying before this line repeats 2 to 4; the copies are dropped by the steps. A queue
///    that is deleted in between has lost "begun".
/// A queue that loses messages by a policy is treated like one that was deleted, once the policy is gone.
/// Several processes may run it: what they do twice, they do to no effect.
/// </summary>
internal sealed class TopologyGuard(
    NpgsqlDataSource database,
    TopologyReader reader,
    [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker,
    ILostMessages lost,
    Redrives redrives,
    TopologyMetrics metrics,
    TimeProvider time,
    ILogger<TopologyGuard> logger
) : ResilientLoop(time)
{
    /// <summary>The exchange that the marks are bound to.</summary>
    public const string Marks = "queue-workers-topology";

    private const string Begun = "begun";
    private const string Settled = "settled";
    private const int LooksPerLimits = 5;

    // What a restored message needs is in its row; the reconciler publishes it.
    private static readonly string Restore = $"""
        with missing as (select id from failures where queue = $1
            and ((state = {FailureState.Failed:D} and removed_at is null)
            or (state = {FailureState.Gone:D} and closed_at > now() - interval '2 minutes')) order by id
            for no key update)
        update failures f set state = {FailureState.Failed:D}, removed_at = now(), closed_at = null,
            note = 'Its queue was deleted; the message is put back.' from missing where f.id = missing.id
        """;

    private static readonly string RestoreExpired = $"""
        with expired as (select id from failures where queue = $1 and state = {FailureState.Gone:D} and closed_at > $2
            order by id for no key update)
        update failures f set state = {FailureState.Failed:D}, removed_at = now(), closed_at = null,
            note = 'Dropped from its queue by a broker policy; the message is put back.' from expired
            where f.id = expired.id
        """;

    // Rows that the broker refused while the topology was broken wait up to five minutes; it is whole again.
    private const string Wake =
        "update outbox set due_at = now() where dead_at is null and attempts > 0 and due_at > now() and exchange = any($1)";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Long enough to be seen by the alerts, which look every five seconds, and by whoever looks at the dashboard
    // because of one.
    private static readonly TimeSpan Shown = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan BetweenCopies = TimeSpan.FromMinutes(1);

    // The index takes some seconds to believe that a message is gone.
    private static readonly TimeSpan RestoreFor = TimeSpan.FromMinutes(2);

    // What came into "unrouted" is indexed within some seconds.
    private static readonly TimeSpan RedriveFor = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, (TopologyFinding Finding, DateTimeOffset Until)> _findings = new();
    private readonly HashSet<string> _suspects = [];
    private readonly HashSet<string> _notFromHere = [];
    private DateTimeOffset? _brokenSince;
    private DateTimeOffset _redriveUntil;
    private IReadOnlyList<QueueLimit> _limits = [];
    private readonly HashSet<string> _losing = [];
    private readonly Dictionary<string, DateTimeOffset> _sentAgain = [];
    private readonly Dictionary<string, DateTimeOffset> _limitedSince = [];
    private readonly Dictionary<string, (DateTimeOffset Since, DateTimeOffset Until)> _restoring = [];
    private int _looks;

    /// <summary>What is wrong now, and what was in the last ten minutes.</summary>
    public IReadOnlyList<TopologyFinding> Findings =>
        [
            .. _findings
                .Values.Where(f => f.Until > Time.GetUtcNow())
                .Select(f => f.Finding)
                .OrderBy(f => f.Queue, StringComparer.Ordinal),
        ];

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var expected = await ExpectedQueue.ReadAsync(database, cancellationToken);
        var bindings = await reader.BindingsAsync(cancellationToken);
        await LookForLimitsAsync(expected, bindings, cancellationToken);
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
        var (begun, settled) = (bindings.Contains(Mark(queue, Begun)), bindings.Contains(Mark(queue, Settled)));
        if (missing.Length > 0)
        {
            // Seen for the first time: a deployment may be at it.
            if (_suspects.Add(queue.Name))
                return false;
            Report(queue, missing);
            if (!await RepairAsync(queue, missing, settled, cancellationToken))
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
        if (queue.Role == QueueRole.Subscriber || _losing.Contains(queue.Name))
            return true;
        // No mark anywhere: this version sees the installation for the first Time.
        var isFirst = !bindings.Any(b => b.Source == Marks);
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

    private static Binding Mark(ExpectedQueue queue, string mark) =>
        new(Marks, queue.Name, true, $"{queue.Name} {mark}");

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

    private async Task<bool> RepairAsync(
        ExpectedQueue queue,
        Binding[] missing,
        bool settled,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // First, so that dying after the repair does not make the loss invisible.
            if (settled)
                await OnChannelAsync(
                    c =>
                        c.QueueUnbindAsync(
                            queue.Name,
                            Marks,
                            Mark(queue, Settled).RoutingKey,
                            cancellationToken: cancellationToken
                        ),
                    cancellationToken
                );
            foreach (var binding in missing)
            {
                if (binding.Source == "")
                    await OnChannelAsync(
                        c => QueueDeclaration.DeclareAsync(c, queue.Name, cancellationToken),
                        cancellationToken
                    );
                else if (binding.ToQueue)
                    await OnChannelAsync(c => BindQueueAsync(c, queue.Name, cancellationToken), cancellationToken);
                else
                    await OnChannelAsync(c => BindExchangeAsync(c, binding, cancellationToken), cancellationToken);
            }

            return true;
        }
        catch (OperationInterruptedException refused)
            when (refused.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.NotFound)
        {
            // Its worker may, and does so when it connects.
            if (_notFromHere.Add(queue.Name))
                TopologyLog.CannotRepair(logger, queue.Name, refused.ShutdownReason!.ReplyText);
            return false;
        }
    }

    private async Task SettleAsync(
        ExpectedQueue queue,
        bool settledAlone,
        bool isFirst,
        CancellationToken cancellationToken
    )
    {
        await OnChannelAsync(
            c =>
                c.ExchangeDeclareAsync(Marks, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken),
            cancellationToken
        );
        if (settledAlone)
            await OnChannelAsync(
                c =>
                    c.QueueUnbindAsync(
                        queue.Name,
                        Marks,
                        Mark(queue, Settled).RoutingKey,
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
        await OnChannelAsync(
            c =>
                c.QueueBindAsync(
                    queue.Name,
                    Marks,
                    Mark(queue, Begun).RoutingKey,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );

        var count =
            queue.Role == QueueRole.Step
                ? await lost.SendAgainAsync(queue.Name, cancellationToken)
                : await RestoreAsync(queue.Name, cancellationToken);
        await WakeAsync(queue, cancellationToken);
        await OnChannelAsync(
            c =>
                c.QueueBindAsync(
                    queue.Name,
                    Marks,
                    Mark(queue, Settled).RoutingKey,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );

        _suspects.Remove(queue.Name);
        _notFromHere.Remove(queue.Name);
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

    // Only where the queue is empty: with messages in it, it was not deleted, and the reconciler compares it row by
    // row.
    private async Task<int> RestoreAsync(string queue, CancellationToken cancellationToken)
    {
        uint ready = 0;
        await OnChannelAsync(
            async c => ready = (await c.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount,
            cancellationToken
        );
        if (ready > 0)
            return 0;
        await using var command = database.CreateCommand(Restore);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task WakeAsync(ExpectedQueue queue, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Wake);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [queue.Name, .. queue.Exchanges] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // Messages that found no queue stand in "unrouted". They go to the exchange of their type once more; who has had
    // them drops the copy.
    private async Task RedriveUnroutedAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        if (Time.GetUtcNow() > _redriveUntil)
        {
            _brokenSince = null;
            return;
        }

        var filter = new FailureFilter { Queue = WellKnownQueues.Unrouted, From = since - RedriveFor };
        var request = new RedriveRequest
        {
            Filter = filter,
            Reason = "Their queue was deleted, and is there again.",
            Canary = 0,
            RatePerSecond = 200,
            StopPercent = 100,
            Start = true,
        };
        var record = new AuditEntry
        {
            Who = "topology",
            Role = nameof(OperatorRole.Operator),
            Action = "redrive",
            Reason = request.Reason,
        };
        if ((await redrives.CreateAsync(request, record, null, cancellationToken)).Made is { } made)
            TopologyLog.Redriven(logger, made.Redrive.Id, made.Redrive.Total);
    }

    // Policies that limit our queues. What is over a limit goes to the dead-letter queue where our own policy is in
    // force beside the limit; where another one took its place, it is lost. Then the mark "settled" is taken away until
    // the limit is gone, so that what was lost is sent again, also by a guard that is started later.
    private async Task LookForLimitsAsync(
        IReadOnlyList<ExpectedQueue> expected,
        HashSet<Binding> bindings,
        CancellationToken cancellationToken
    )
    {
        if (_looks++ % LooksPerLimits != 0)
            return;
        var roles = expected.ToDictionary(q => q.Name);
        QueueLimit[] limits = [.. (await reader.LimitsAsync(cancellationToken)).Where(l => roles.ContainsKey(l.Queue))];
        foreach (var limit in limits.ExceptBy(_limits.Select(Said), Said))
            TopologyLog.Limited(logger, limit.Queue, limit.Policy, limit.Limits);
        foreach (var ended in _limits.ExceptBy(limits.Select(l => l.Queue), l => l.Queue))
        {
            _findings.TryRemove(Key(ended.Queue), out _);
            if (roles.GetValueOrDefault(ended.Queue)?.Role == QueueRole.DeadLettered)
                _restoring[ended.Queue] = (_limitedSince[ended.Queue], Time.GetUtcNow() + RestoreFor);
            _limitedSince.Remove(ended.Queue);
        }

        foreach (var (queue, (since, until)) in _restoring.ToArray())
        {
            await RestoreExpiredAsync(queue, since, cancellationToken);
            if (until < Time.GetUtcNow())
                _restoring.Remove(queue);
        }

        _losing.Clear();
        foreach (var limit in limits)
        {
            var queue = roles[limit.Queue];
            // Messages may have been lost since the look before this one.
            _limitedSince.TryAdd(queue.Name, Time.GetUtcNow() - (LooksPerLimits * LongestPause));
            var isLosing = queue.Role == QueueRole.Step && limit.DeadLettersTo is null;
            if (isLosing)
                await SendWhileLimitedAsync(queue, limit, bindings, cancellationToken);
            var says =
                $"Policy {limit.Policy} limits queue {limit.Queue}: {limit.Limits}. {Consequence(queue, limit)} Remove the limit from the policy.";
            _findings[Key(limit.Queue)] = (
                new TopologyFinding(limit.Queue, says, IsOpen: true),
                DateTimeOffset.MaxValue
            );
        }

        _limits = limits;

        static string Key(string queue) => $"{queue} limits";
        static (string, string, string) Said(QueueLimit limit) => (limit.Queue, limit.Policy, limit.Limits);
    }

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
        _losing.Add(queue.Name);
        if (bindings.Remove(Mark(queue, Settled)))
            await OnChannelAsync(
                c =>
                    c.QueueUnbindAsync(
                        queue.Name,
                        Marks,
                        Mark(queue, Settled).RoutingKey,
                        cancellationToken: cancellationToken
                    ),
                cancellationToken
            );
        var now = Time.GetUtcNow();
        if (!limit.IsEmpty || (_sentAgain.TryGetValue(queue.Name, out var at) && now - at < BetweenCopies))
            return;
        _sentAgain[queue.Name] = now;
        var count = await lost.SendAgainAsync(queue.Name, cancellationToken);
        if (count == 0)
            return;
        metrics.SentAgain(queue.Name, count);
        TopologyLog.SentAgain(logger, queue.Name, count);
    }

    // What expired in a dead-letter queue is still in the index, as gone.
    private async Task RestoreExpiredAsync(string queue, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(RestoreExpired);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = since });
        var count = await command.ExecuteNonQueryAsync(cancellationToken);
        if (count > 0)
            TopologyLog.PutBack(logger, queue, count);
    }

    private static async Task BindQueueAsync(IChannel channel, string queue, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(
            queue,
            ExchangeType.Fanout,
            durable: true,
            cancellationToken: cancellationToken
        );
        await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancellationToken);
    }

    private static async Task BindExchangeAsync(
        IChannel channel,
        Binding binding,
        CancellationToken cancellationToken
    ) => await channel.ExchangeBindAsync(binding.Destination, binding.Source, "", cancellationToken: cancellationToken);

    // A channel each: what the broker refuses closes it.
    private async Task OnChannelAsync(Func<IChannel, Task> action, CancellationToken cancellationToken)
    {
        var connection = await broker.OpenAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await action(channel);
    }
}
