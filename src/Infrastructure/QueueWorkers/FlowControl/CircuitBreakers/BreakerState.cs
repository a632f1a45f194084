namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>Whether a dependency is called. Stored as its number; shown by its name.</summary>
public enum BreakerState : short
{
    /// <summary>It works: every step that needs it runs.</summary>
    Closed = 0,

    /// <summary>It is down: no step that needs it begins a run.</summary>
    Open = 1,

    /// <summary>One replica tries it with one real message; all others wait for the outcome.</summary>
    HalfOpen = 2,
}
