namespace QueueWorkers.Steps.Faults;

/// <summary>
/// A run was cancelled, but neither by its time limit nor by the end of the process: something in it has a limit of its
/// own, such as an <c>HttpClient</c>. A transient fault.
/// It has a type of its own because MassTransit takes a bare <see cref="OperationCanceledException"/> for its own
/// shutdown and would neither repeat nor dead-letter the message.
/// </summary>
public sealed class StepCancelledException(string step, Exception innerException)
    : Exception(
        $"Something in step '{step}' was cancelled by a time limit of its own ({innerException.Message}); raise that limit if the time is normal.",
        innerException
    );
