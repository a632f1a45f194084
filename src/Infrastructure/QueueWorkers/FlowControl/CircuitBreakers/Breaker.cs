namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>The breaker of a dependency, one for all replicas.</summary>
public sealed class Breaker
{
    /// <summary>The dependency.</summary>
    public string Dependency { get; init; } = "";

    /// <summary>What the replicas found out.</summary>
    public BreakerState State { get; init; }

    /// <summary>
    /// What an operator has set instead, <see cref="BreakerState.Open"/> or <see cref="BreakerState.Closed"/>; null
    /// when nothing.
    /// </summary>
    public BreakerState? Forced { get; init; }

    /// <summary>When it opened; null while it is closed.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>When the next trial is due; null while it is closed.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>The process that tries it; null when none does.</summary>
    public Guid? ProbeBy { get; init; }

    /// <summary>Until when that process has the trial to itself; after it, it is taken for dead.</summary>
    public DateTimeOffset? ProbeUntil { get; init; }

    /// <summary>How often it opened, or stayed open after a trial, since it was last closed.</summary>
    public int Trips { get; init; }

    /// <summary>Why it is as it is, in a sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the state or the force last changed.</summary>
    public DateTimeOffset ChangedAt { get; init; }

    /// <summary>What counts: the operator's word, else what the replicas found out.</summary>
    public BreakerState Effective => Forced ?? State;
}
