namespace Orders.Infrastructure.Steps;

/// <summary>A run took longer than its policy allows; a transient fault.</summary>
public sealed class StepTimeoutException(string step, TimeSpan timeout)
    : Exception($"Step '{step}' ran longer than its time limit of {timeout.TotalSeconds:0.#} s and was cancelled; raise StepPolicy.Timeout if that is normal.");
