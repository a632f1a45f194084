using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.FlowControl.Cancellation;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl;

/// <summary>
/// One loop in each worker process, once a second while it works and less often while it is idle and has many siblings:
/// reports the process, reads what operators and other replicas have set, and sets the gates of the process's steps.
/// While the database is away the gates stay as they are: a paused step stays paused, and nothing can be committed
/// anyway.
/// </summary>
public sealed class ControlPoll : BackgroundService, IBreakerReports
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // At most: a pause is heard within two seconds.
    private static readonly TimeSpan BusyInterval = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan SharePerBusyPoll = TimeSpan.FromMilliseconds(15);

    // Of an idle process: all together 14 a second, however many there are. The most leaves two reports within the time
    // for which a process counts as living.
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan SharePerIdlePoll = TimeSpan.FromMilliseconds(70);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    // What was read longer ago than this is read again before a message begins: while messages come, the poll is in
    // time and nobody waits.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    // Long enough for the failures of one moment to be judged together, short enough for a run to hold its slot.
    private static readonly TimeSpan JudgedTogether = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan CleanupInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);

    private readonly ControlQueries _queries;
    private readonly StepGates _gates;
    private readonly RunningSteps _running;
    private readonly KnownSuspects _suspects;
    private readonly Fleet _fleet;
    private readonly DatabaseOptions _database;
    private readonly ControlMetrics _metrics;
    private readonly ILogger<ControlPoll> _logger;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Lock _lock = new();
    private readonly string[] _dependencies;
    private TaskCompletionSource? _asked;
    private TimeSpan _askedWait;
    private ControlState? _state;
    private string? _excess;
    private long _polledAt = long.MinValue / 2;
    private long _reported;
    private long _cleanedUpAt = Stopwatch.GetTimestamp();
    private long _begun;
    private bool _hasBegun;
    private bool _reportedDry;

    /// <summary>Creates it.</summary>
    public ControlPoll(
        NpgsqlDataSource database,
        StepGates gates,
        RunningSteps running,
        KnownSuspects suspects,
        Fleet fleet,
        DatabaseOptions options,
        ControlMetrics metrics,
        ILogger<ControlPoll> logger
    )
    {
        _queries = new ControlQueries(database);
        _gates = gates;
        (_running, _suspects) = (running, suspects);
        (_fleet, _database, _metrics) = (fleet, options, metrics);
        _logger = logger;
        _dependencies = [.. gates.Dependencies.Select(d => d.Name)];
        gates.Reports = this;
        gates.Freshen = FreshenAsync;
    }

    /// <summary>Polls now and waits for it.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken) => AskAsync(TimeSpan.Zero, cancellationToken);

    /// <inheritdoc />
    Task IBreakerReports.JudgeAsync(CancellationToken cancellationToken) => AskAsync(JudgedTogether, cancellationToken);

    /// <inheritdoc />
    async Task IBreakerReports.TrialSucceededAsync(Dependency dependency, CancellationToken cancellationToken)
    {
        await DatabaseRetry.RunAsync(
            () => _queries.TrialSucceededAsync(dependency, _gates.Me, cancellationToken),
            cancellationToken
        );
        await RefreshAsync(cancellationToken);
    }

    /// <inheritdoc />
    async Task IBreakerReports.TrialFailedAsync(
        Dependency dependency,
        string fault,
        CancellationToken cancellationToken
    )
    {
        await DatabaseRetry.RunAsync(
            () => _queries.TrialFailedAsync(dependency, _gates.Me, fault, cancellationToken),
            cancellationToken
        );
        await RefreshAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_gates.All.Count == 0 || !_hasBegun)
            return;
        try
        {
            // Its share of common limits is free at once; a process that cannot say so is taken for dead a few seconds
            // later.
            await _queries.StoppedAsync(_gates.Me, cancellationToken);
        }
        catch (NpgsqlException exception)
        {
            ControlLog.PollFailed(_logger, DatabaseFault.Explain(exception));
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_gates.All.Count == 0)
        {
            // Nothing to poll for. A loop that returns would be taken for one that has failed.
            await Task.Delay(Timeout.Infinite, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var pause = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            await ((Task)_wake.WaitAsync(pause, stoppingToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var asked = await TakeAskedAsync(stoppingToken);
            try
            {
                await PollAsync(stoppingToken);
                pause = IntervalNow();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
#pragma warning disable CA1031 // The loop is the only way in which a pause ends: whatever happened, it has to go on, and says so.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                ControlLog.PollFailed(_logger, DatabaseFault.Explain(exception));
                pause = _state is null ? FirstRetry : Interval;
            }

            asked?.TrySetResult();
        }

        lock (_lock)
            _asked?.TrySetResult();
    }

    // Before the first poll the gates let nobody in anyway.
    private async ValueTask FreshenAsync(CancellationToken cancellationToken)
    {
        if (_state is not null && Environment.TickCount64 - Volatile.Read(ref _polledAt) > Fresh.TotalMilliseconds)
            await RefreshAsync(cancellationToken);
    }

    private TimeSpan IntervalNow()
    {
        if (_state is null || _state.Troubled.Count > 0 || _gates.Dependencies.Any(d => d.State != BreakerState.Closed))
            return Interval;
        return _gates.IsBusy(Quiet)
            ? _fleet.Pace(SharePerBusyPoll, Interval, BusyInterval)
            : _fleet.Pace(SharePerIdlePoll, Interval, IdleInterval);
    }

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        var at = Environment.TickCount64;
        if (!_hasBegun)
        {
            await _queries.BeginAsync(_gates.Describe([]), _dependencies, cancellationToken);
            _begun = Stopwatch.GetTimestamp();
            _hasBegun = true;
        }

        var isDry = _gates.IsDry;
        var isDue =
            _reported == 0
            || isDry != _reportedDry
            || Stopwatch.GetElapsedTime(_reported) > Worker.Interval - (Interval * 0.8);
        var calls = new List<(DependencyHealth Health, (int Calls, int Failures) Counts)>();
        foreach (var health in _gates.Dependencies)
        {
            // While nobody has failed the counts are dropped: only in trouble do they matter, and only then do they
            // cost a row.
            var counts = health.TakeCounts();
            if (counts.Failures > 0 || (counts.Calls > 0 && _state?.Troubled.Contains(health.Name) == true))
                calls.Add((health, counts));
        }

        var wasDraining = _state?.Drain is not null;
        try
        {
            var trials = _gates
                .Dependencies.Where(d => d.State != BreakerState.Closed && _gates.CanTry(d, _state))
                .Select(d => d.Name)
                .ToArray();
            _state = await _queries.PollAsync(
                _gates.Describe(isDue ? _running.Oldest(Worker.MostRuns) : []),
                isDue,
                isDry,
                calls.ConvertAll(c => (c.Health.Dependency, c.Counts.Calls, c.Counts.Failures)),
                trials,
                _dependencies,
                cancellationToken
            );
        }
        catch
        {
            calls.ForEach(c => c.Health.PutBack(c.Counts));
            throw;
        }

        Volatile.Write(ref _polledAt, at);
        // Before the gates open: no copy of a killer is let in unknown.
        _suspects.Apply(_state.Suspects);
        Account(_state.Budget);
        if (isDue)
            (_reported, _reportedDry) = (Stopwatch.GetTimestamp(), isDry);
        // Given back, it is like a new process: the others use its share of common limits until they have seen it.
        if (wasDraining && _state.Drain is null)
            _begun = Stopwatch.GetTimestamp();
        var limits = _gates.All.Select(g => (Gate: g, g.Limit)).ToArray();
        foreach (
            var (health, before) in _gates.Apply(
                _state,
                isNew: Stopwatch.GetElapsedTime(_begun) < Worker.Interval + Interval
            )
        )
            ControlLog.BreakerChanged(_logger, health.Name, before, health.State, health.Reason);
        foreach (var (gate, before) in limits.Where(l => l.Limit != l.Gate.Limit))
        {
            if (gate.Limit == 0)
                ControlLog.Closed(_logger, gate.Step.Name, gate.ClosedBecause ?? "");
            else
                ControlLog.LimitChanged(_logger, gate.Step.Name, gate.Limit, before);
        }

        if (Stopwatch.GetElapsedTime(_cleanedUpAt) > CleanupInterval)
        {
            _cleanedUpAt = Stopwatch.GetTimestamp();
            await _gates.CleanUpAsync(cancellationToken);
        }
    }

    private void Account(ConnectionBudget budget)
    {
        _fleet.Processes = budget.Processes;
        _metrics.Budget = budget;
        if (_database.Pooler)
            return;
        var excess = budget.Excess(_database.Reserve);
        // Said when it begins and when it ends, not with each process that comes or goes.
        if (excess is not null && _excess is null)
            ControlLog.OverBudget(_logger, excess);
        else if (excess is null && _excess is not null)
            ControlLog.WithinBudget(_logger, budget.Bounds, budget.Limit);
        _excess = excess;
    }

    private Task AskAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        Task done;
        lock (_lock)
        {
            if (_asked is null)
                (_asked, _askedWait) = (
                    new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously),
                    wait
                );
            else if (wait < _askedWait)
                _askedWait = wait;
            done = _asked.Task;
            if (_wake.CurrentCount == 0)
                _wake.Release();
        }

        return done.WaitAsync(cancellationToken);
    }

    // Those who ask from now on are answered by the next poll: what they have counted may come too late for this one.
    private async Task<TaskCompletionSource?> TakeAskedAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
            wait = _asked is null ? TimeSpan.Zero : _askedWait;
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            var asked = _asked;
            _asked = null;
            return asked;
        }
    }
}
