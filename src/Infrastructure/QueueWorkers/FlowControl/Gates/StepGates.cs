using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.RateLimits;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Endpoints;

namespace QueueWorkers.FlowControl.Gates;

/// <summary>The gates of the steps of this process, and what they depend on.</summary>
public sealed class StepGates : IAsyncDisposable
{
    private readonly Dictionary<string, StepGate> _gates;
    private readonly Dictionary<string, DependencyHealth> _dependencies;
    private readonly DateTimeOffset _startedAt = DatabaseClock.UtcNow;
    private readonly int _maxConnections;
    private readonly DeferredReports _reports = new();
    private readonly PermitLeases _leases;
    private bool _draining;

    /// <summary>Creates them; all are closed until the first poll.</summary>
    public StepGates(IReadOnlyList<GatedStep> steps, NpgsqlDataSource database, TimeProvider time)
    {
        _maxConnections = new NpgsqlConnectionStringBuilder(database.ConnectionString).MaxPoolSize;
        _leases = new PermitLeases(database);
        _dependencies = steps
            .Where(s => s.DependsOn is not null)
            .GroupBy(s => s.DependsOn!.Name)
            .ToDictionary(g => g.Key, g => new DependencyHealth(g.First().DependsOn!, _reports, Me));
        _gates = steps.ToDictionary(
            s => s.Name,
            s => new StepGate(s, s.DependsOn is { } dependency ? _dependencies[dependency.Name] : null, _leases)
        );
    }

    /// <summary>This process.</summary>
    public Guid Me { get; } = DatabaseClock.NewId();

    /// <summary>The gates.</summary>
    public IReadOnlyCollection<StepGate> All => _gates.Values;

    /// <summary>The dependencies.</summary>
    public IReadOnlyCollection<DependencyHealth> Dependencies => _dependencies.Values;

    internal IBreakerReports Reports
    {
        set => _reports.To = value;
    }

    /// <summary>Makes what the gates know fresh, see <see cref="FreshenAsync"/>; null where nobody polls.</summary>
    internal Func<CancellationToken, ValueTask>? Freshen { get; set; }

    /// <summary>
    /// Called for each message before it asks to be let in: after a quiet time the process first learns what operators
    /// and other replicas have set meanwhile.
    /// </summary>
    internal ValueTask FreshenAsync(CancellationToken cancellationToken) =>
        Freshen?.Invoke(cancellationToken) ?? ValueTask.CompletedTask;

    /// <summary>The gate of a step.</summary>
    public StepGate Of(string step) => _gates[step];

    /// <summary>The health of a step's dependency; null when it has none.</summary>
    public DependencyHealth? DependencyOf(string step) =>
        Of(step).Step.DependsOn is { } dependency ? _dependencies[dependency.Name] : null;

    /// <summary>Stops handing out permits.</summary>
    public async ValueTask DisposeAsync()
    {
        await _leases.DisposeAsync();
        foreach (var gate in _gates.Values)
            gate.Dispose();
    }

    /// <summary>Removes buckets of permits that nobody needs any more, if this process uses any.</summary>
    internal Task CleanUpAsync(CancellationToken cancellationToken) =>
        _gates.Values.Any(g => g.Rates.Count > 0) ? _leases.ForgetAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Whether this process was asked to take nothing more, does so, and has nothing left.</summary>
    internal bool IsDry => _draining && _gates.Values.All(g => g is { Limit: 0, Running: 0 });

    /// <summary>
    /// Whether something may happen here at any moment: runs go on, messages came lately, a step is closed, or a
    /// dependency is not well.
    /// </summary>
    internal bool IsBusy(TimeSpan quiet) =>
        _draining || _gates.Values.Any(g => g.Running > 0 || g.Limit == 0 || g.WasAskedWithin(quiet));

    internal Worker Describe(IReadOnlyList<RunningAttempt> runs) =>
        new()
        {
            Id = Me,
            Host = Environment.MachineName,
            ProcessId = Environment.ProcessId,
            Version = Build.Version,
            Steps = [.. _gates.Keys],
            Running = _gates.Values.Sum(g => g.Running),
            Runs = runs,
            MaxConnections = _maxConnections,
            StartedAt = _startedAt,
        };

    // A trial taken by a process whose gates are closed for another reason would never be made.
    internal bool CanTry(DependencyHealth dependency, ControlState? state) =>
        state is not null
        && _gates.Values.Any(g =>
            g.Step.DependsOn?.Name == dependency.Name && GateSetting.Of(g.Step, null, state, isNew: false).Limit > 0
        );

    /// <summary>Sets the gates; returns the dependencies whose breaker changed, and what it was.</summary>
    internal List<(DependencyHealth Health, BreakerState Before)> Apply(ControlState state, bool isNew)
    {
        var changed = new List<(DependencyHealth, BreakerState)>();
        foreach (var health in _dependencies.Values)
        {
            if (
                state.Breakers.TryGetValue(health.Name, out var breaker)
                && health.Apply(breaker, state.Troubled.Contains(health.Name)) is var before
                && before != health.State
            )
                changed.Add((health, before));
        }

        _draining = state.Drain is not null;
        foreach (var gate in _gates.Values)
        {
            var rates = state.Steps.GetValueOrDefault(gate.Step.Name)?.Rates is { } text
                ? RateLimit.ParseAll(text)
                : gate.Step.Rates;
            gate.Apply(GateSetting.Of(gate.Step, DependencyOf(gate.Step.Name), state, isNew), rates);
        }

        return changed;
    }

    // The poll needs the gates and the gates' dependencies need the poll; whoever fails before the poll exists is not
    // judged.
    private sealed class DeferredReports : IBreakerReports
    {
        public IBreakerReports? To { get; set; }

        public Task JudgeAsync(CancellationToken cancellationToken) =>
            To?.JudgeAsync(cancellationToken) ?? Task.CompletedTask;

        public Task TrialSucceededAsync(Dependency dependency, CancellationToken cancellationToken) =>
            To?.TrialSucceededAsync(dependency, cancellationToken) ?? Task.CompletedTask;

        public Task TrialFailedAsync(Dependency dependency, string fault, CancellationToken cancellationToken) =>
            To?.TrialFailedAsync(dependency, fault, cancellationToken) ?? Task.CompletedTask;
    }
}
