using System.Diagnostics;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.RateLimits;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Endpoints;

namespace QueueWorkers.FlowControl.Gates;

/// <summary>
/// Stands before every run of a step in this process: lets as many in as may run at a time, none while the step is
/// paused or what it depends on is down, and keeps its rates.
/// On the normal way it costs a lock that nobody else holds. Nobody waits here for long: what cannot run soon goes back
/// through the outbox and holds no slot.
/// Dying here loses nothing: the message is not acked, and nothing has begun.
/// </summary>
public sealed class StepGate : IDisposable
{
    // Back in the queue, where a closed gate keeps it: the subscription has been ended by then.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    // How long a retry waits in its slot for one of those under way to end. It bounds how fast slots can pass messages
    // back to the outbox: a backlog of retries stays in its queue.
    private static readonly TimeSpan RetryPatience = TimeSpan.FromMilliseconds(250);

    // What it waits for may happen in another step's gate, which does not signal this one.
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly DependencyHealth? _dependency;
    private readonly PermitLeases? _leases;
    private readonly RetrySchedule? _retries;
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GateSetting _setting;
    private StepRates? _rates;
    private CancellationTokenSource _closing = new();
    private TaskCompletionSource? _change;
    private long _askedAt = long.MinValue / 2;
    private int _running;
    private int _awaitingPermits;
    private long _grantedPermits;
    private bool _isStopping;

    internal StepGate(GatedStep step, DependencyHealth? dependency, PermitLeases? leases)
    {
        Step = step;
        _dependency = dependency;
        _leases = leases;
        _retries = dependency is null || leases is null ? null : new RetrySchedule(dependency.Name, leases);
    }

    /// <summary>The step.</summary>
    public GatedStep Step { get; }

    /// <summary>
    /// Completes with the first poll: before it nobody knows whether the step is paused, and nothing may begin.
    /// </summary>
    public Task Known => _known.Task;

    /// <summary>Runs under way.</summary>
    public int Running
    {
        get
        {
            lock (_lock)
                return _running;
        }
    }

    /// <summary>Messages that wait for a permit now.</summary>
    internal int AwaitingPermits => Volatile.Read(ref _awaitingPermits);

    /// <summary>Runs that were let in by a rate limit.</summary>
    internal long GrantedPermits => Volatile.Read(ref _grantedPermits);

    /// <summary>Whether a message has come within a time.</summary>
    internal bool WasAskedWithin(TimeSpan time) =>
        Environment.TickCount64 - Volatile.Read(ref _askedAt) < time.TotalMilliseconds;

    /// <summary>Runs at a time in this process now; 0 while the gate is closed.</summary>
    public int Limit
    {
        get
        {
            lock (_lock)
                return _setting.Limit;
        }
    }

    /// <summary>Why it is closed; null while it is open.</summary>
    public string? ClosedBecause
    {
        get
        {
            lock (_lock)
                return _setting.ClosedBecause;
        }
    }

    /// <summary>Called after each change of <see cref="Limit"/>.</summary>
    internal Action? Changed { get; set; }

    /// <summary>The rates that hold now.</summary>
    public IReadOnlyList<RateLimit> Rates
    {
        get
        {
            lock (_lock)
                return _rates?.Limits ?? [];
        }
    }

    /// <summary>
    /// Asks for a run. Waits while the process is at its limit, which happens only after it was lowered, and for the
    /// moment at which the step's rate has a permit.
    /// </summary>
    /// <param name="messageId">The original message id.</param>
    /// <param name="attempt">1 for a first run.</param>
    /// <param name="deferrals">How often the message was deferred before.</param>
    /// <param name="keyOf">The value of a key that the message carries; null when it carries none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<AdmissionResult> EnterAsync(
        Guid messageId,
        int attempt,
        int deferrals,
        Func<string, string?> keyOf,
        CancellationToken cancellationToken
    )
    {
        Volatile.Write(ref _askedAt, Environment.TickCount64);
        if (await TakeSlotAsync(messageId, attempt, deferrals, cancellationToken) is { IsGranted: false } refused)
            return refused;

        StepRates? rates;
        CancellationToken closing;
        lock (_lock)
            (rates, closing) = (_rates, _closing.Token);
        if (rates is null)
            return AdmissionResult.Granted;

        var pass = AdmissionResult.Later(
            DatabaseClock.UtcNow + Soon,
            DeferralCause.Closed,
            $"the gate of '{Step.Name}' was closed or its rate was changed"
        );
        Interlocked.Increment(ref _awaitingPermits);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, closing);
            var taken = await rates.TakeAsync(keyOf, either.Token);
            if (!taken.IsGranted || !closing.IsCancellationRequested)
                pass = taken;
        }
        catch (OperationCanceledException)
            when (closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Sent away like everybody who comes to a closed gate.
        }
        finally
        {
            Interlocked.Decrement(ref _awaitingPermits);
            if (pass.IsGranted)
                Interlocked.Increment(ref _grantedPermits);
            else
                Leave(messageId);
        }

        return pass;
    }

    /// <summary>A run that was let in has ended.</summary>
    /// <param name="messageId">Its original message id.</param>
    public void Leave(Guid messageId)
    {
        _dependency?.Leave(messageId);
        lock (_lock)
        {
            _running--;
            SignalChange();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _rates?.Dispose();
        _closing.Dispose();
    }

    /// <summary>
    /// Sends away those who wait for a permit, because the process stops: they are somebody else's now.
    /// </summary>
    internal void StopWaiting()
    {
        lock (_lock)
        {
            _isStopping = true;
            _closing.Cancel();
            SignalChange();
        }
    }

    internal void Apply(GateSetting setting, IReadOnlyList<RateLimit> rates)
    {
        bool changed;
        lock (_lock)
        {
            changed = setting.Limit != _setting.Limit || !_known.Task.IsCompleted;
            if (!rates.SequenceEqual(_rates?.Limits ?? []))
                Renew(
                    rates.Count == 0
                        ? null
                        : new StepRates(
                            Step.Name,
                            rates,
                            _leases
                                ?? throw new InvalidOperationException(
                                    "These gates were built without a database; rates need one."
                                )
                        )
                );
            else if (changed)
                Renew(_rates);
            _setting = setting;
            _known.TrySetResult();
            SignalChange();
        }

        if (changed)
            Changed?.Invoke();
    }

    private async ValueTask<AdmissionResult> TakeSlotAsync(
        Guid messageId,
        int attempt,
        int deferrals,
        CancellationToken cancellationToken
    )
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            Task change;
            var answer = Admission.Granted;
            lock (_lock)
            {
                if (_known.Task.IsCompleted)
                {
                    if (_setting.Limit == 0)
                        return Closed(messageId);
                    if (_running < _setting.Limit)
                    {
                        answer = _dependency?.TryEnter(messageId, attempt) ?? Admission.Granted;
                        if (answer == Admission.Granted)
                        {
                            _running++;
                            return AdmissionResult.Granted;
                        }
                    }
                }

                if (answer == Admission.Down)
                    return _dependency!.Down(messageId);
                if (answer == Admission.OtherTrial && _isStopping)
                    return AdmissionResult.Later(
                        DatabaseClock.UtcNow,
                        DeferralCause.Closed,
                        $"the process of '{Step.Name}' stops"
                    );
                change = (
                    _change ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
                ).Task;
            }

            if (answer == Admission.Granted)
                await change.WaitAsync(cancellationToken);
            else if (answer == Admission.ManyRetries && Stopwatch.GetElapsedTime(began) > RetryPatience)
                return await RefuseRetryAsync(messageId, deferrals, cancellationToken);
            else
                await GlanceAsync(change, cancellationToken);
        }
    }

    private AdmissionResult Closed(Guid messageId) =>
        AdmissionResult.Later(
            _setting.RetryAt is { } at ? Jitter.After(at, messageId) : DatabaseClock.UtcNow + Soon,
            _setting.RetryAt is null ? DeferralCause.Closed : DeferralCause.Breaker,
            _setting.ClosedBecause ?? ""
        );

    private async ValueTask<AdmissionResult> RefuseRetryAsync(
        Guid messageId,
        int deferrals,
        CancellationToken cancellationToken
    )
    {
        var schedule =
            _retries
            ?? throw new InvalidOperationException("These gates were built without a database; retries need one.");
        var wait = await schedule.NextAsync(messageId, deferrals, cancellationToken);
        return AdmissionResult.Later(
            DatabaseClock.UtcNow + wait,
            DeferralCause.RetryBudget,
            $"'{_dependency!.Name}' bears {_dependency.RetryWindow} retries of this process at a time now"
        );
    }

    private static async Task GlanceAsync(Task change, CancellationToken cancellationToken)
    {
        await change.WaitAsync(Glance, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    // Whoever waits for a permit under the old setting is sent away: a closed gate lets nobody in later than it was
    // closed.
    private void Renew(StepRates? rates)
    {
        _closing.Cancel();
        _closing = new CancellationTokenSource();
        _rates = rates;
    }

    private void SignalChange()
    {
        _change?.TrySetResult();
        _change = null;
    }
}
