using System.Diagnostics;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.FlowControl.RateLimits;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>
/// What this process knows of a dependency, and what it has to tell the others. The life of a breaker:
/// 1. Closed: calls are counted in memory. As long as none fails, nothing is written anywhere.
/// 2. A call fails by the dependency's fault. Its run waits a moment, until the failures of that moment have been
///    reported and judged together with those of the other replicas.
/// 3. The share of failures is too high: the breaker opens, in PostgreSQL, and each replica closes its gates at its
///    next poll, at most a second later.
///    The run that waited, and all others that fail from now on, are deferred: no attempt is counted, for the fault is
///    not theirs.
/// 4. After the cooldown one replica wins the trial and opens its gate for one message, a real one. All others wait in
///    their queues.
/// 5. It succeeds: closed, at once. It fails: open again, for twice the time. The replica dies: its claim runs out, and
///    another one tries.
/// Dying at any of these lines costs nothing but time: the state is a row, and no message depends on it.
/// </summary>
public sealed class DependencyHealth
{
    private static readonly TimeSpan Unknown = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan OtherTrial = TimeSpan.FromSeconds(2);

    // A failure that is followed by no success is judged a few times before it counts: the first ones of an outage wait
    // for the next ones.
    private const int Judgements = 3;

    private readonly Lock _lock = new();
    private readonly IBreakerReports _reports;
    private readonly RetryBudget _retries = new();
    private readonly Guid _me;
    private Breaker _breaker;
    private Guid? _trial;
    private int _calls;
    private int _failures;
    private bool _isTroubled;
    private long _lastSuccess;

    internal DependencyHealth(Dependency dependency, IBreakerReports reports, Guid me)
    {
        Dependency = dependency;
        _reports = reports;
        _me = me;
        _breaker = new Breaker { Dependency = dependency.Name };
    }

    /// <summary>The dependency.</summary>
    public Dependency Dependency { get; }

    /// <summary>Its name.</summary>
    public string Name => Dependency.Name;

    /// <summary>The state of its breaker, as of the last poll.</summary>
    public BreakerState State => Volatile.Read(ref _breaker).Effective;

    /// <summary>Why it is in that state.</summary>
    public string Reason =>
        Volatile.Read(ref _breaker) is { Forced: not null } forced
            ? $"set by an operator ({forced.Reason})"
            : Volatile.Read(ref _breaker).Reason;

    /// <summary>Whether this process makes the trial.</summary>
    public bool IsMyTrial =>
        Volatile.Read(ref _breaker) is { Forced: null, State: BreakerState.HalfOpen } breaker && breaker.ProbeBy == _me;

    /// <summary>Repeated runs that this process may have under way at a time.</summary>
    public int RetryWindow => _retries.Window;

    /// <summary>Repeated runs that this process has under way.</summary>
    public int RetriesRunning => _retries.Running;

    /// <summary>When a message that needs it should come again.</summary>
    public DateTimeOffset RetryAt
    {
        get
        {
            var breaker = Volatile.Read(ref _breaker);
            return breaker is { Forced: null, State: BreakerState.Open, RetryAt: { } retry }
                ? retry
                : DatabaseClock.UtcNow + (breaker.Effective == BreakerState.HalfOpen ? OtherTrial : Unknown);
        }
    }

    /// <summary>A run that will call it is about to begin.</summary>
    internal Admission TryEnter(Guid messageId, int attempt)
    {
        lock (_lock)
        {
            switch (State)
            {
                case BreakerState.Open:
                case BreakerState.HalfOpen when !IsMyTrial:
                    return Admission.Down;
                case BreakerState.HalfOpen when _trial is not null:
                    return Admission.OtherTrial;
                case BreakerState.HalfOpen:
                    _trial = messageId;
                    return Admission.Granted;
            }
        }

        return attempt == 1 || _retries.TryEnter(messageId) ? Admission.Granted : Admission.ManyRetries;
    }

    /// <summary>The answer to a run that found it down.</summary>
    internal AdmissionResult Down(Guid messageId) =>
        AdmissionResult.Later(Jitter.After(RetryAt, messageId), DeferralCause.Breaker, $"'{Name}' is down: {Reason}");

    /// <summary>A run has called it, and it worked, whatever else became of the run.</summary>
    internal async ValueTask SucceededAsync(Guid messageId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        _retries.Succeeded();
        Volatile.Write(ref _lastSuccess, Stopwatch.GetTimestamp());
        if (EndTrial(messageId))
            await _reports.TrialSucceededAsync(Dependency, cancellationToken);
    }

    /// <summary>A run has failed by the dependency's fault.</summary>
    /// <param name="messageId">The run's message.</param>
    /// <param name="fault">What the fault says.</param>
    /// <param name="isOutage">Whether it says that the dependency serves nobody: it counts as the least number of calls
    /// that says anything, and the attempt never counts.</param>
    /// <param name="cancellationToken">Ends the wait for a verdict.</param>
    /// <returns>
    /// When its message should come again, without an attempt counted; null when the dependency is not down and the
    /// attempt counts.
    /// </returns>
    internal async ValueTask<AdmissionResult> FailedAsync(
        Guid messageId,
        string fault,
        bool isOutage,
        CancellationToken cancellationToken
    )
    {
        _retries.Failed();
        // The call is over: whoever waits for its place need not wait for the verdict too.
        _retries.Leave(messageId);
        lock (_lock)
        {
            // What went well before the first failure says nothing about the time after it, and would only delay the
            // verdict.
            if (_failures == 0 && !_isTroubled)
                _calls = 0;
            var weight = isOutage ? Dependency.MinimumCalls : 1;
            _calls += weight;
            _failures += weight;
        }

        if (EndTrial(messageId))
        {
            await _reports.TrialFailedAsync(Dependency, fault, cancellationToken);
        }
        else
        {
            var failed = Stopwatch.GetTimestamp();
            // A breaker that an operator holds closed cannot open: there is no verdict to wait for.
            for (
                var i = 0;
                i < Judgements
                    && Volatile.Read(ref _breaker) is { Forced: null, State: BreakerState.Closed }
                    && Volatile.Read(ref _lastSuccess) < failed;
                i++
            )
                await _reports.JudgeAsync(cancellationToken);
        }

        if (State != BreakerState.Closed)
            return Down(messageId);
        // An operator who holds the breaker closed wants attempts to count.
        return isOutage && Volatile.Read(ref _breaker).Forced is null
            ? AdmissionResult.Later(Jitter.After(RetryAt, messageId), DeferralCause.Breaker, $"'{Name}' serves nobody")
            : AdmissionResult.Granted;
    }

    /// <summary>
    /// A run has ended. One that said nothing about the dependency, because the process stops or the database is away,
    /// was no trial.
    /// </summary>
    internal void Leave(Guid messageId)
    {
        EndTrial(messageId);
        _retries.Leave(messageId);
    }

    /// <summary>What has happened since the last report; counted from nothing again.</summary>
    internal (int Calls, int Failures) TakeCounts() =>
        (Interlocked.Exchange(ref _calls, 0), Interlocked.Exchange(ref _failures, 0));

    /// <summary>The report did not reach the database: it is part of the next one.</summary>
    internal void PutBack((int Calls, int Failures) counts)
    {
        Interlocked.Add(ref _calls, counts.Calls);
        Interlocked.Add(ref _failures, counts.Failures);
    }

    /// <summary>Takes over what the poll saw; returns what it was before.</summary>
    internal BreakerState Apply(Breaker breaker, bool isTroubled)
    {
        lock (_lock)
        {
            _isTroubled = isTroubled;
            var before = State;
            Volatile.Write(ref _breaker, breaker);
            if (!IsMyTrial)
                _trial = null;
            return before;
        }
    }

    private bool EndTrial(Guid messageId)
    {
        lock (_lock)
        {
            if (_trial != messageId)
                return false;
            _trial = null;
            return true;
        }
    }
}
