using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>
/// How a step without a row of its own looks: rows are written by the first run, so that accepting an order writes
/// none.
/// </summary>
internal static class PendingStep
{
    /// <summary>The status to show, depending on the order's.</summary>
    public static StepStatus StatusIn(OrderStatus order) =>
        order switch
        {
            OrderStatus.Rejected => StepStatus.Skipped,
            OrderStatus.Cancelled => StepStatus.Cancelled,
            _ => StepStatus.Waiting,
        };
}
