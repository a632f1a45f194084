using Orders.Infrastructure;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Layout;

/// <summary>
/// Colours of states: green works or is done, amber waits or grows, red fails or is late. Always beside the word.
/// </summary>
internal static class States
{
    public static string? Of(Enum state) =>
        state switch
        {
            OrderStatus.Completed or StepStatus.Done or EffectState.Done => "good",
            OrderStatus.NeedsAttention or StepStatus.Failed or StepStatus.Uncertain or EffectState.Uncertain => "bad",
            OrderStatus.Rejected
            or StepStatus.Rejected
            or StepStatus.Retrying
            or StepStatus.Expired
            or EffectState.Pending => "warn",
            _ => null,
        };
}
