using QueueWorkers.Idempotency;

namespace QueueWorkers.Steps;

/// <summary>What is recorded of a step's work for a subject.</summary>
/// <param name="Effect">How far its effect is; null when it was not begun, or is not claimed beforehand.</param>
/// <param name="Status">Where the step stands; null when it has no row: no attempt of it ended, well or badly, and none was left out.</param>
public readonly record struct StepState(EffectState? Effect, StepStatus? Status)
{
    /// <summary>Whether the effect is recorded as done.</summary>
    public bool IsDone => Effect is EffectState.Done;

    /// <summary>Whether a run is at the effect, or died at it a moment ago.</summary>
    public bool IsUnderWay => Effect is EffectState.Pending;
}
