using MassTransit;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.GroupCommit;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.DeadLettering;

/// <summary>
/// What a message in <c>_error</c> says of its fault. MassTransit takes the innermost exception as it is; here stand the
/// type of the fault that was thrown and its masked text.
/// </summary>
internal static class DeadLetterHeaders
{
    /// <summary>Writes the headers in place of MassTransit's.</summary>
    public static void Mask(ExceptionReceiveContext failed)
    {
        // A redrive is linked to it.
        if (LastAttempt.HeaderOf((ReceiveContext)failed) is { } attempt)
            failed.ExceptionHeaders.Set(TraceHeaders.LastAttempt, attempt);
        // Masked where the run ended, it is masked by what the run knew; nobody else does.
        if (PersonalText.Of(failed.Exception.GetBaseException()) is not MaskedFaultException masked)
            return;
        failed.ExceptionHeaders.Set(MessageHeaders.FaultExceptionType, masked.Original.GetType().FullName);
        failed.ExceptionHeaders.Set(MessageHeaders.FaultMessage, masked.Message);
        failed.ExceptionHeaders.Set(MessageHeaders.FaultStackTrace, PersonalText.Of(masked.StackTrace ?? ""));
    }
}
