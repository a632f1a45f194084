using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Audit;
using Orders.Infrastructure.Deployment;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Operators;
using Orders.Infrastructure.Redrive;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Topology;

/// <summary>
/// Finds queues, exchanges and bindings that were deleted, repairs what it may, and has the messages sent again that went with them.
/// How a loss is known, even when somebody else has recreated the queue: each complete queue carries two marks, bindings from an exchange to which nobody
/// publishes. The broker removes them with the queue. In order:
/// 1. Something is missing twice in a row (once may be a deployment under way): the mark "settled" is taken away, then the rest is repaired.
/// 2. A complete queue without both marks is new: it gets the mark "begun".
/// 3. Its messages are sent again from the database, which is committed.
/// 4. It gets the mark "settled". Dying before this line repeats 2 to 4; the copies are dropped by the steps. A queue that is deleted in between has lost "begun".
/// Several processes may run it: what they do twice, they do to no effect.
/// </summary>
internal sealed class TopologyGuard(
    NpgsqlDataSource database, TopologyReader reader, [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker, ILostMessages lost, Redrives redrives,
    TopologyMetrics metrics, TimeProvider time, ILogger<TopologyGuard> logger) : BackgroundService
{
    /// <summary>The exchange that the marks are bound to.</summary>
    public const string Marks = "orders-topology";

    private const string Begun = "begun";
    private const string Settled = "settled";
    private const int LooksPerLimits = 10;

    // What a restored message needs is in its row; the reconciler publishes it.
    private const string Restore = """
        with missing as (select id from failures where queue = $1 and ((state = 1 and removed_at is null) or (state = 6 and closed_at > now() - interval '2 minutes')) order by id for no key update)
        update failures f set state = 1, removed_at = now(), closed_at = null, note = 'Its queue was deleted; the message is put back.' from missing where f.id = missing.id
        """;

    // Rows that the broker refused while the topology was broken wait up to five minutes; it is whole again.
    private const string Wake = "update outbox set due_at = now() where dead_at is null and attempts > 0 and due_at > now() and exchange = any($1)";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Long enough to be seen by the alerts, which look every five seconds, and by whoever looks at the dashboard because of one.
    private static readonly TimeSpan Shown = TimeSpan.FromMinutes(10);

    // What came into "unrouted" is indexed within some seconds.
    private static readonly TimeSpan RedriveFor = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, (TopologyFinding Finding, DateTimeOffset Until)> _findings = new();
    private readonly HashSet<string> _suspects = [];
    private readonly HashSet<string> _notFromHere = [];
    private DateTimeOffset? _brokenSince;
    private DateTimeOffset _redriveUntil;
    private IReadOnlyList<QueueLimit> _limits = [];
    private int _looks;

    /// <summary>What is wrong now, and what was in the last ten minutes.</summary>
    public IReadOnlyList<TopologyFinding> Findings => [.. _findings.Values.Where(f => f.Until > time.GetUtcNow()).Select(f => f.Finding).OrderBy(f => f.Queue, StringComparer.Ordinal)];

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var expected = await ExpectedQueue.ReadAsync(database, cancellationToken);
        var bindings = await reader.BindingsAsync(cancellationToken);
        var whole = true;
        foreach (var queue in expected)
            whole &= await LookAtAsync(queue, bindings, cancellationToken);
        await LookForLimitsAsync([.. expected.Select(q => q.Name)], cancellationToken);
        if (whole && _brokenSince is { } since)
            await RedriveUnroutedAsync(since, cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = Interval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
                // What is missing is told as soon as it is missing twice.
                pause = _suspects.Count > 0 ? Interval / 2 : Interval;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or HttpRequestException or RabbitMQClientException or IOException or TimeoutException)
            {
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
                TopologyLog.CannotLook(logger, exception.Message, pause);
            }
#pragma warning disable CA1031 // Whatever it is, it is logged with everything, and the next look may succeed; an exception that left here would end the whole process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                TopologyLog.LoopFailed(logger, exception);
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Returns whether the queue is whole and settled.
    private async Task<bool> LookAtAsync(ExpectedQueue queue, HashSet<Binding> bindings, CancellationToken cancellationToken)
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

        if (queue.Role == QueueRole.Subscriber)
            return true;
        // No mark anywhere: this version sees the installation for the first time.
        var isFirst = !bindings.Any(b => b.Source == Marks);
        await SettleAsync(queue, settledAlone: settled && !begun, isFirst, cancellationToken);
        return true;
    }

    // In the order in which they can be repaired.
    private static IEnumerable<Binding> Needed(ExpectedQueue queue) =>
    [
        new("", queue.Name, true, queue.Name), new(queue.Name, queue.Name, true, ""), .. queue.Exchanges.Select(e => new Binding(e, queue.Name, false, "")),
    ];

    private static Binding Mark(ExpectedQueue queue, string mark) => new(Marks, queue.Name, true, $"{queue.Name} {mark}");

    private void Report(ExpectedQueue queue, Binding[] missing)
    {
        _brokenSince ??= time.GetUtcNow();
        if (IsReported(queue))
            return;
        var what = string.Join(", ", missing.Select(b => b.Source == "" ? $"the queue {b.Destination}" : $"the binding {b.Source} → {b.Destination}"));
        TopologyLog.Missing(logger, queue.Name, what);
        metrics.Lost(queue.Name);
        Show(new TopologyFinding(queue.Name, $"Missing: {what}. {Advice(queue)}", IsOpen: true), DateTimeOffset.MaxValue);
    }

    private bool IsReported(ExpectedQueue queue) => _findings.TryGetValue(queue.Name, out var known) && known.Finding.IsOpen;

    private static string Advice(ExpectedQueue queue) => queue.Role == QueueRole.Step
        ? $"Messages for it wait in {BrokerDeployment.Unrouted}. A running worker of {queue.Name} recreates its queue; else run `deploy`. Lost messages are sent again by themselves then."
        : "It is recreated by itself, or by `deploy`.";

    private async Task<bool> RepairAsync(ExpectedQueue queue, Binding[] missing, bool settled, CancellationToken cancellationToken)
    {
        try
        {
            // First, so that dying after the repair does not make the loss invisible.
            if (settled)
                await OnChannelAsync(c => c.QueueUnbindAsync(queue.Name, Marks, Mark(queue, Settled).RoutingKey, cancellationToken: cancellationToken), cancellationToken);
            foreach (var binding in missing)
            {
                if (binding.Source == "")
                    await OnChannelAsync(c => BrokerDeployment.DeclareAsync(c, queue.Name, cancellationToken), cancellationToken);
                else if (binding.ToQueue)
                    await OnChannelAsync(c => BindQueueAsync(c, queue.Name, cancellationToken), cancellationToken);
                else
                    await OnChannelAsync(c => BindExchangeAsync(c, binding, cancellationToken), cancellationToken);
            }

            return true;
        }
        catch (OperationInterruptedException refused) when (refused.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.NotFound)
        {
            // Its worker may, and does so when it connects.
            if (_notFromHere.Add(queue.Name))
                TopologyLog.CannotRepair(logger, queue.Name, refused.ShutdownReason!.ReplyText);
            return false;
        }
    }

    private async Task SettleAsync(ExpectedQueue queue, bool settledAlone, bool isFirst, CancellationToken cancellationToken)
    {
        await OnChannelAsync(c => c.ExchangeDeclareAsync(Marks, ExchangeType.Direct, durable: true, cancellationToken: cancellationToken), cancellationToken);
        if (settledAlone)
            await OnChannelAsync(c => c.QueueUnbindAsync(queue.Name, Marks, Mark(queue, Settled).RoutingKey, cancellationToken: cancellationToken), cancellationToken);
        await OnChannelAsync(c => c.QueueBindAsync(queue.Name, Marks, Mark(queue, Begun).RoutingKey, cancellationToken: cancellationToken), cancellationToken);

        var count = queue.Role == QueueRole.Step ? await lost.SendAgainAsync(queue.Name, cancellationToken) : await RestoreAsync(queue.Name, cancellationToken);
        await WakeAsync(queue, cancellationToken);
        await OnChannelAsync(c => c.QueueBindAsync(queue.Name, Marks, Mark(queue, Settled).RoutingKey, cancellationToken: cancellationToken), cancellationToken);

        _suspects.Remove(queue.Name);
        _notFromHere.Remove(queue.Name);
        // A queue that is new, and for which nothing was waiting, has lost nothing.
        if (!IsReported(queue) && (count == 0 || isFirst))
            return;
        if (!IsReported(queue))
            metrics.Lost(queue.Name);
        metrics.SentAgain(queue.Name, count);
        TopologyLog.SentAgain(logger, queue.Name, count);
        Close(queue, $"Queue {queue.Name} was deleted or cut off and is whole again; {count} messages that may have been lost were sent again at {time.GetUtcNow():HH:mm:ss} UTC.");
    }

    private void Close(ExpectedQueue queue, string says)
    {
        _brokenSince ??= time.GetUtcNow();
        _redriveUntil = time.GetUtcNow() + RedriveFor;
        Show(new TopologyFinding(queue.Name, says, IsOpen: false), time.GetUtcNow() + Shown);
    }

    private void Show(TopologyFinding finding, DateTimeOffset until) => _findings[finding.Queue] = (finding, until);

    // Only where the queue is empty: with messages in it, it was not deleted, and the reconciler compares it row by row.
    private async Task<int> RestoreAsync(string queue, CancellationToken cancellationToken)
    {
        uint ready = 0;
        await OnChannelAsync(async c => ready = (await c.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount, cancellationToken);
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

    // Messages that found no queue stand in "unrouted". They go to the exchange of their type once more; who has had them drops the copy.
    private async Task RedriveUnroutedAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() > _redriveUntil)
        {
            _brokenSince = null;
            return;
        }

        var filter = new FailureFilter { Queue = BrokerDeployment.Unrouted, From = since - RedriveFor };
        var request = new RedriveRequest { Filter = filter, Reason = "Their queue was deleted, and is there again.", Canary = 0, RatePerSecond = 200, StopPercent = 100, Start = true };
        var record = new AuditEntry { Who = "topology", Role = nameof(OperatorRole.Operator), Action = "redrive", Reason = request.Reason };
        if ((await redrives.CreateAsync(request, record, null, cancellationToken)).Made is { } made)
            TopologyLog.Redriven(logger, made.Redrive.Id, made.Redrive.Total);
    }

    private async Task LookForLimitsAsync(HashSet<string> ours, CancellationToken cancellationToken)
    {
        if (_looks++ % LooksPerLimits != 0)
            return;
        QueueLimit[] limits = [.. (await reader.LimitsAsync(cancellationToken)).Where(l => ours.Contains(l.Queue))];
        foreach (var limit in limits.Except(_limits))
            TopologyLog.Limited(logger, limit.Queue, limit.Policy, limit.Limits);
        foreach (var ended in _limits.ExceptBy(limits.Select(l => l.Queue), l => l.Queue))
            _findings.TryRemove(Key(ended.Queue), out _);
        foreach (var limit in limits)
        {
            var says = $"Policy {limit.Policy} limits queue {limit.Queue}: {limit.Limits}. Messages over it are dropped or refused; remove the limit from the policy.";
            _findings[Key(limit.Queue)] = (new TopologyFinding(limit.Queue, says, IsOpen: true), DateTimeOffset.MaxValue);
        }

        _limits = limits;

        static string Key(string queue) => $"{queue} limits";
    }

    private static async Task BindQueueAsync(IChannel channel, string queue, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancellationToken);
    }

    private static async Task BindExchangeAsync(IChannel channel, Binding binding, CancellationToken cancellationToken) =>
        await channel.ExchangeBindAsync(binding.Destination, binding.Source, "", cancellationToken: cancellationToken);

    // A channel each: what the broker refuses closes it.
    private async Task OnChannelAsync(Func<IChannel, Task> action, CancellationToken cancellationToken)
    {
        var connection = await broker.OpenAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await action(channel);
    }
}
