using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.DeadLettering;

/// <summary>Stands in the record for a fault that could not be stored.</summary>
internal static class UnstorableFailure
{
    /// <summary>
    /// A fault of the same outcome (<see cref="StepStatus.Uncertain"/> stays so) whose text holds nothing from outside.
    /// </summary>
    public static Exception InPlaceOf(StepRun run, Exception fault)
    {
        var told = $"{fault.GetType().Name}, whose text could not be stored; the worker's log has it.";
        return fault is UncertainEffectException
            ? new UncertainEffectException(run.Effect, run.SubjectId, "could not be stored; the worker's log has it")
            : new InvalidOperationException(told);
    }
}
