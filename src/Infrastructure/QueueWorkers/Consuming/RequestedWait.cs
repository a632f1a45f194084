using MassTransit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// Carries the wait that a fault asked for (<see cref="IRetryAfter"/>) from the run that failed to the redelivery that
/// MassTransit schedules afterwards: <see cref="RedeliveryScheduler"/> sees a delay, but not the fault.
/// </summary>
internal sealed class RequestedWait
{
    private TimeSpan _wait;

    /// <summary>The last fault of this delivery decides: each failed attempt overwrites what the one before asked
    /// for.</summary>
    public static void Note(ConsumeContext context, Exception fault) =>
        context.ReceiveContext.GetOrAddPayload(() => new RequestedWait())._wait = StepSchedule.RequestedWait(fault);

    /// <summary>What the last fault of this delivery asked for; zero when nothing.</summary>
    public static TimeSpan Of(ConsumeContext context) =>
        context.ReceiveContext.TryGetPayload<RequestedWait>(out var requested) ? requested._wait : TimeSpan.Zero;
}
