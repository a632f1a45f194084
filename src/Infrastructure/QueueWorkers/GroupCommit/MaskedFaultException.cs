namespace QueueWorkers.GroupCommit;

/// <summary>
/// Stands in the place of a fault whose text, or that of a fault within it, holds personal data: what looks at it reads
/// the masked text and finds no fault within. Only code that decides what becomes of a message asks for the original.
/// </summary>
/// <param name="original">The fault.</param>
/// <param name="message">Its message, masked.</param>
/// <param name="text">All of its text, masked.</param>
public sealed class MaskedFaultException(Exception original, string message, string text) : Exception(message)
{
    /// <summary>The fault as it was thrown. Its text must not leave the process.</summary>
    internal Exception Original => original;

    /// <inheritdoc />
    public override string? StackTrace => original.StackTrace ?? base.StackTrace;

    /// <inheritdoc />
    public override string ToString() => text;

    /// <summary>The original when the fault is a masked one; otherwise the fault.</summary>
    internal static Exception Unmasked(Exception fault) =>
        fault is MaskedFaultException masked ? masked.Original : fault;
}
