namespace QueueWorkers.FlowControl;

/// <summary>Why a message went back to the outbox with a due time, without an attempt counted.</summary>
public enum DeferralCause
{
    /// <summary>What its step depends on is down, or is being tried with another message.</summary>
    Breaker,

    /// <summary>A repeated run while as many of them were under way as the dependency bears.</summary>
    RetryBudget,

    /// <summary>A rate limit, of the step or of one of the message's keys.</summary>
    RateLimit,

    /// <summary>
    /// The step's gate was closed while the message was on its way: paused, drained, or its limits were changed.
    /// </summary>
    Closed,

    /// <summary>The database failed during the run.</summary>
    Database,

    /// <summary>Another run is at the same effect.</summary>
    EffectInProgress,

    /// <summary>The step itself says that it is too early.</summary>
    Delay,

    /// <summary>
    /// The last attempt failed: the message waits for its redelivery. This cause alone counts an attempt.
    /// </summary>
    Redelivery,
}
