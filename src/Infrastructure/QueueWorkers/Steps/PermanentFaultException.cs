namespace QueueWorkers.Steps;

/// <summary>
/// Thrown by a step when no repetition can help: the message goes to the step's <c>_error</c> queue at once.
/// </summary>
public class PermanentFaultException : Exception
{
    /// <summary>
    /// Creates it with a sentence for the operator: what was expected, what was found, what to change.
    /// </summary>
    public PermanentFaultException(string message)
        : base(message) { }

    /// <summary>The same, with the cause.</summary>
    public PermanentFaultException(string message, Exception innerException)
        : base(message, innerException) { }

    /// <summary>
    /// Whether the step's <see cref="Dependency"/> has answered with this refusal: it is there, only this message is
    /// refused. Default: no, the step may have failed before its call.
    /// </summary>
    public bool IsAnswer { get; init; }
}
