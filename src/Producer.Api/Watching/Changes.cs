using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using QueueWorkers.Steps;

namespace Orders.Producer.Api.Watching;

/// <summary>A change of an order.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Status">Where it stands now.</param>
/// <param name="At">When it came there, or was first seen there.</param>
public sealed record OrderEvent(Guid OrderId, OrderStatus Status, DateTime At);

/// <summary>A change of one of an order's steps.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Status">Where the order stands now.</param>
/// <param name="Step">The step.</param>
/// <param name="StepStatus">Where the step stands now.</param>
/// <param name="Attempts">Attempts made so far.</param>
/// <param name="At">When the step came there, or was first seen there.</param>
public sealed record StepEvent(
    Guid OrderId,
    OrderStatus Status,
    string Step,
    StepStatus StepStatus,
    int Attempts,
    DateTime At
);

/// <summary>What happened between two looks at an order.</summary>
internal static class Changes
{
    /// <summary>The steps' events first, the order's own last: the event that ends a stream is its last one.</summary>
    /// <param name="before">The earlier look; null for the first one, which tells everything.</param>
    /// <param name="now">The later look.</param>
    /// <param name="at">When that was.</param>
    public static (IEnumerable<StepEvent> Steps, OrderEvent? Order) Between(
        OrderState? before,
        OrderState now,
        DateTimeOffset at
    )
    {
        var steps = now
            .Steps.Where(step => before?.Steps.Contains(step) != true)
            .Select(step => new StepEvent(
                now.OrderId,
                now.Status,
                step.Step,
                step.Status,
                step.Attempts,
                (step.At ?? at).UtcDateTime
            ));
        return (
            steps,
            before?.Status == now.Status
                ? null
                : new OrderEvent(now.OrderId, now.Status, (now.EndedAt ?? at).UtcDateTime)
        );
    }

    /// <summary>
    /// Whether nothing more will happen. An order that needs attention goes on when an operator has seen to it.
    /// </summary>
    public static bool IsEnd(OrderStatus status) =>
        status is OrderStatus.Completed or OrderStatus.Rejected or OrderStatus.Cancelled;
}
