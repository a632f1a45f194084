namespace QueueWorkers.Monitoring;

/// <summary>How one step has been doing.</summary>
/// <param name="Step">The step; empty for all steps together.</param>
/// <param name="Finished">Runs that ended well in the window.</param>
/// <param name="DeadLettered">Steps that were dead-lettered in the window.</param>
/// <param name="Run">Run time of one attempt, failed ones included, without any waiting.</param>
/// <param name="Queue">Time in queue: from when a message was sent to the beginning of its first attempt.</param>
/// <param name="Total">Time to done: from when a message was sent to the commit, retries included.</param>
public sealed record StepFigures(
    string Step,
    long Finished,
    long DeadLettered,
    Percentiles Run,
    Percentiles Queue,
    Percentiles Total
);

/// <summary>Percentiles of durations; null where nothing was measured.</summary>
/// <param name="P50">Half took at most this long.</param>
/// <param name="P95">95 % took at most this long.</param>
/// <param name="P99">99 % took at most this long.</param>
public readonly record struct Percentiles(TimeSpan? P50, TimeSpan? P95, TimeSpan? P99);
