using QueueWorkers.Idempotency;

namespace QueueWorkers.Steps.Runs;

/// <summary>What is recorded of a step's work for a subject.</summary>
/// <param name="Effect">How far its effect is; null when it was not begun, or is not claimed beforehand.</param>
/// <param name="Status">Where the step stands; null when it has no row: no attempt of it ended, well or badly, and none
/// was left out.</param>
/// <param name="Lease">How long the lease of a pending effect still lasts, by the database's clock; negative once it
/// has ended. Null when the effect is not pending.</param>
public readonly record struct StepState(EffectState? Effect, StepStatus? Status, TimeSpan? Lease = null)
{
    /// <summary>Whether the effect is recorded as done.</summary>
    public bool IsDone => Effect is EffectState.Done;

    /// <summary>
    /// How long to wait before looking again whether the effect has ended. Null: it has, or nobody can be expected to
    /// end it. A lease says that a run is at it. When the lease has ended the run is dead; its message comes again if
    /// the step has not given it up, but that may be never, if somebody has taken it out of the queue.
    /// </summary>
    /// <param name="first">The wait while a run is at it. After the lease the waits grow with the time that has
    /// passed.</param>
    /// <param name="atMost">How long after the end of the lease to wait in all.</param>
    public TimeSpan? WaitForEnd(TimeSpan first, TimeSpan atMost)
    {
        if (Effect is not EffectState.Pending || Lease is not { } lease)
            return null;
        if (lease > TimeSpan.Zero)
            return first;
        // A cancellation turns every unfinished step to Cancelled, also one whose message is still to come.
        var comesAgain = Status is StepStatus.Running or StepStatus.Retrying or StepStatus.Cancelled && -lease < atMost;
        return comesAgain ? TimeSpan.FromTicks(Math.Max(first.Ticks, -lease.Ticks / 2)) : null;
    }
}
