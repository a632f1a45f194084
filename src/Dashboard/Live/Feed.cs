using System.Collections.Immutable;
using Orders.Dashboard.Waiting;
using QueueWorkers.GroupCommit;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Backlog;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Topology;

namespace Orders.Dashboard.Live;

/// <summary>
/// Looks at queues, outbox and steps once a second for all viewers together, and every five seconds while nobody
/// watches. A source that does not answer, or whose answer cannot be read, leaves its last figures in place, marked as
/// old: never zeros.
/// </summary>
internal sealed class Feed(
    QueueReader queues,
    OutboxReader outbox,
    StepFiguresReader steps,
    BlockerReader standing,
    WaitingReader waiting,
    WaitingMetrics metrics,
    UnusableScheduleMetrics schedules,
    KnownQueues knownQueues,
    BacklogMetrics backlog,
    LiveOptions options,
    ITopologyFindings topology,
    TimeProvider time,
    ILogger<Feed> log
) : BackgroundService
{
    // What the charts' titles say.
    internal static readonly TimeSpan Charted = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Unwatched = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(250);

    // Short, so that a busy system is not asked for percentiles of half a million runs every second.
    internal static readonly TimeSpan Window = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly QueueHistory _history = new();
    private readonly WaitingHistory _waiting = new(options.WaitingAge, options.WaitingRises);
    private volatile Snapshot _current = new();
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _viewers;
    private IReadOnlySet<string>? _known;

    /// <summary>What is known now.</summary>
    public Snapshot Current => _current;

    /// <summary>Counts a viewer until it is disposed.</summary>
    public IDisposable Watch()
    {
        Interlocked.Increment(ref _viewers);
        return new Viewer(this);
    }

    /// <summary>
    /// Waits for a snapshot that is newer than one. A viewer that was slow gets the newest and not all between: nothing
    /// piles up.
    /// </summary>
    public async Task<Snapshot> AfterAsync(long version, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = Volatile.Read(ref _next).Task;
            if (_current is { } current && current.Version > version)
                return current;
            await next.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var began = time.GetTimestamp();
                Publish(await TakeAsync(_current, stoppingToken));
                var wait = (Volatile.Read(ref _viewers) > 0 ? Watched : Unwatched) - time.GetElapsedTime(began);
                if (wait > TimeSpan.Zero)
                    await PauseAsync(wait, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The dashboard stops; viewers end by the same token.
        }
    }

    // A viewer who comes while nobody watched does not wait for the slow pace to end.
    private async Task PauseAsync(TimeSpan wait, CancellationToken stoppingToken)
    {
        var began = time.GetTimestamp();
        while (
            wait - time.GetElapsedTime(began) is { TotalMilliseconds: >= 1 } left
            && !(wait > Watched && Volatile.Read(ref _viewers) > 0)
        )
            await Task.Delay(left < Glance ? left : Glance, time, stoppingToken);
    }

    private async Task<Snapshot> TakeAsync(Snapshot before, CancellationToken stoppingToken)
    {
        var now = time.GetUtcNow();
        var broker = AskAsync("RabbitMQ", queues.ReadAsync, before.BrokerFault, stoppingToken);
        var box = AskAsync("PostgreSQL", outbox.ReadAsync, before.DatabaseFault, stoppingToken);
        var minute = AskAsync(
            "PostgreSQL",
            token => steps.ReadAsync(now - Window, now, token),
            before.DatabaseFault,
            stoppingToken
        );
        var inTheWay = AskAsync("PostgreSQL", standing.ReadAsync, before.DatabaseFault, stoppingToken);
        var putOff = AskAsync("PostgreSQL", waiting.ReadAsync, before.DatabaseFault, stoppingToken);
        var names = AskAsync("PostgreSQL", knownQueues.ReadAsync, before.DatabaseFault, stoppingToken);
        var (brokerFigures, brokerFault) = await broker;
        var (boxFigures, boxFault) = await box;
        var (stepFigures, stepFault) = await minute;
        var (stands, standsFault) = await inTheWay;
        var (waits, waitsFault) = await putOff;
        var (known, namesFault) = await names;
        var standingNow = stands ?? before.Standing;
        var figures = brokerFigures?.ToDictionary(q => q.Name);
        bool IsBusy(string step) =>
            (figures is null ? before.Queue(step)?.Figures : figures.GetValueOrDefault(step))
                is { Ready: > 0 }
                    or { Unacknowledged: > 0 };
        var waitingNow = waits is null ? before.Waiting : _waiting.Add(waits, now, IsBusy);
        // A gauge of what nobody has seen would be a claim: without a look there is none.
        metrics.Now = waits ?? [];
        schedules.Now = stands?.Schedules.Count;

        var taken = before with
        {
            Version = before.Version + 1,
            At = now,
            Queues =
            [
                .. (brokerFigures is null ? before.Queues : brokerFigures.Select(q => _history.Add(q, now))).Select(q =>
                    q with
                    {
                        Paused = standingNow.Paused.ContainsKey(q.Name),
                        Lacks = standingNow.DownFor(q.Name)?.Name,
                        Waiting = waitingNow.GetValueOrDefault(q.Name),
                        Failed = figures is null ? q.Failed : figures.GetValueOrDefault($"{q.Name}_error")?.Ready ?? 0,
                    }
                ),
            ],
            Standing = standingNow,
            Waiting = waitingNow,
            Topology = topology.Now,
            BrokerFault = brokerFault,
            Outbox = boxFigures ?? before.Outbox,
            Steps = stepFigures ?? before.Steps,
            DatabaseFault = boxFault ?? stepFault ?? standsFault ?? waitsFault ?? namesFault,
            Points = Extend(before.Points, now, stepFigures),
        };
        backlog.Show(boxFigures, now);
        // Names are no figures: without the database the queues that were known still have theirs.
        _known = known ?? _known;
        backlog.Show(brokerFigures is null ? null : taken.Queues.Select(BacklogOf), _known);
        return taken with { Values = LiveValues.Of(taken), Colours = LiveValues.ColoursOf(taken) };
    }

    internal async Task<(T? Figures, string? Fault)> AskAsync<T>(
        string whom,
        Func<CancellationToken, Task<T>> ask,
        string? before,
        CancellationToken stoppingToken
    )
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        limit.CancelAfter(Patience);
        try
        {
            return (await ask(limit.Token).WaitAsync(Patience, stoppingToken), null);
        }
        // Whatever it is: one row that cannot be read must not stop the dashboard, at each start again.
        catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
        {
            // Said once, not every second.
            if (before is null)
                DashboardLog.NoFigures(log, whom, $"{fault.GetType().Name}: {fault.Message}");
            return (
                null,
                before
                    ?? $"{whom} has given no figures since {time.GetUtcNow():HH:mm:ss} UTC.{(DatabaseFault.KindOf(fault) is not DatabaseFaultKind.None ? $" {DatabaseFault.Explain(fault)}" : "")}"
            );
        }
    }

    /// <summary>
    /// The points of the last <see cref="Charted"/>, however far apart they are, with one more: a gap without figures.
    /// </summary>
    internal static ImmutableArray<double?[]> Extend(
        ImmutableArray<double?[]> points,
        DateTimeOffset now,
        IReadOnlyDictionary<string, StepFigures>? steps
    )
    {
        var second = Math.Round(now.ToUnixTimeMilliseconds() / 1000.0);
        var all = steps?.GetValueOrDefault("");
        double?[] point = steps is null
            ? [second, null, null, null, null, null]
            :
            [
                second,
                Math.Round((all?.Finished ?? 0) / Window.TotalSeconds, 1),
                Math.Round((all?.DeadLettered ?? 0) / Window.TotalSeconds, 2),
                Milliseconds(all?.Run.P50),
                Milliseconds(all?.Run.P95),
                Milliseconds(all?.Run.P99),
            ];
        return [.. points.Where(p => p[0] >= second - Charted.TotalSeconds && p[0] < second), point];
    }

    private static QueueBacklog BacklogOf(QueueState queue) =>
        new(queue.Name, queue.Figures.Ready, queue.Figures.Unacknowledged, queue.Figures.Consumers, queue.AtLeast);

    private static double? Milliseconds(TimeSpan? time) => time is { } t ? Math.Round(t.TotalMilliseconds) : null;

    private void Publish(Snapshot snapshot)
    {
        _current = snapshot;
        Interlocked
            .Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .SetResult();
    }

    private sealed class Viewer(Feed feed) : IDisposable
    {
        private int _gone;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gone, 1) == 0)
                Interlocked.Decrement(ref feed._viewers);
        }
    }
}
