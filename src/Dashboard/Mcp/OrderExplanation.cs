using Orders.Dashboard.Live;
using Orders.Dashboard.OrderPages;
using Orders.Infrastructure;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Mcp;

/// <summary>An order as its page explains it, without a word about its customer.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Id">Its id.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="AcceptedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done; null when it is not.</param>
/// <param name="Why">Why it is not done; null when it is.</param>
/// <param name="Steps">The steps it needs.</param>
/// <param name="FailedAttempts">The attempts that failed, in the order of time.</param>
/// <param name="Effects">What the world has seen of it.</param>
/// <param name="InOutbox">Its messages that have not reached the broker.</param>
internal sealed record OrderExplanation(
    string Number,
    Guid Id,
    OrderStatus Status,
    DateTimeOffset AcceptedAt,
    DateTimeOffset? CompletedAt,
    string? Why,
    IReadOnlyList<StepRecord> Steps,
    IReadOnlyList<StepAttempt> FailedAttempts,
    IReadOnlyList<Effect> Effects,
    int InOutbox
)
{
    /// <summary>What a case file says.</summary>
    public static OrderExplanation Of(CaseFile file, Snapshot now, DateTimeOffset at)
    {
        var order = file.Order!;
        return new(
            OrderNumber.Format(order.Order.Number),
            order.Order.Id,
            order.Status,
            order.Order.CreatedAt,
            order.CompletedAt,
            WhyStuck.Of(file, now, at) is { } why ? $"{why.Head} {why.Sentence}" : null,
            order.Steps,
            order.FailedAttempts,
            order.Effects,
            file.Outbox.Count
        );
    }
}
