using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>An order's case file: everything that is known of it.</summary>
/// <param name="Order">The order and its lines.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="CompletedAt">When its last step was done.</param>
/// <param name="RejectedAt">When it was refused.</param>
/// <param name="CancelledAt">When it was cancelled.</param>
/// <param name="Steps">The steps it needs, in the order of the catalogue.</param>
/// <param name="FailedAttempts">The attempts that failed, in the order of time.</param>
/// <param name="Effects">What the world has seen of it.</param>
/// <param name="InvoiceNumber">Its invoice's number, as it is printed; null when none was issued.</param>
public sealed record OrderDetails(
    Order Order,
    OrderStatus Status,
    DateTimeOffset? CompletedAt,
    DateTimeOffset? RejectedAt,
    DateTimeOffset? CancelledAt,
    IReadOnlyList<StepRecord> Steps,
    IReadOnlyList<StepAttempt> FailedAttempts,
    IReadOnlyList<Effect> Effects,
    string? InvoiceNumber
);
