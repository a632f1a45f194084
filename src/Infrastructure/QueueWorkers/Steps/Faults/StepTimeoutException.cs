namespace QueueWorkers.Steps.Faults;

/// <summary>A run took longer than its policy allows; a transient fault.</summary>
/// <param name="step">The step.</param>
/// <param name="timeout">Its limit.</param>
/// <param name="where">Where it stood when it was left to itself; null when it obeyed its token.</param>
public sealed class StepTimeoutException(string step, TimeSpan timeout, string? where = null)
    : Exception(
        $"Step '{step}' ran longer than its time limit of {timeout.TotalSeconds:0.#} s and was cancelled; raise StepPolicy.Timeout if that is normal."
            + (
                where is null
                    ? ""
                    : $" It ignored its cancellation token and was abandoned: {where}. Pass context.CancellationToken on to what it waits for."
            )
    );
