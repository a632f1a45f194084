namespace QueueWorkers.Monitoring;

/// <summary>How one step has been doing.</summary>
/// <param name="Step">The step; empty for all steps together.</param>
/// <param name="Finished">Runs that ended well in the window.</param>
/// <param name="DeadLettered">Steps that were dead-lettered in the window.</param>
/// <param name="P50">Half of the runs took at most this long; null without runs. Waiting between attempts
/// counts.</param>
/// <param name="P95">95 % of the runs took at most this long.</param>
/// <param name="P99">99 % of the runs took at most this long.</param>
public sealed record StepFigures(
    string Step,
    long Finished,
    long DeadLettered,
    TimeSpan? P50,
    TimeSpan? P95,
    TimeSpan? P99
);
