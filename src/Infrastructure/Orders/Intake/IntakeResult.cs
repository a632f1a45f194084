namespace Orders.Infrastructure.Intake;

/// <summary>What became of a posted order.</summary>
/// <param name="Outcome">Which of the cases it is.</param>
/// <param name="Order">The stored order; null for <see cref="IntakeOutcome.KeyUsedForAnotherBody"/> and
/// <see cref="IntakeOutcome.KeyInFlight"/>.</param>
public sealed record IntakeResult(IntakeOutcome Outcome, StoredOrder? Order);

/// <summary>The cases of <see cref="IntakeResult"/>.</summary>
public enum IntakeOutcome
{
    /// <summary>Stored, and committed.</summary>
    Accepted,

    /// <summary>The same key and body were posted before: this is the order they made.</summary>
    Replayed,

    /// <summary>The key was used before, with another body.</summary>
    KeyUsedForAnotherBody,

    /// <summary>A request with the same key is still being worked on.</summary>
    KeyInFlight,
}

/// <summary>The part of a stored order that the answer to POST shows.</summary>
/// <param name="Id">The order.</param>
/// <param name="Number">Its running number.</param>
/// <param name="Total">Sum of the lines.</param>
/// <param name="Currency">Its currency.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="Status">Where it stands: Accepted, or further when replayed.</param>
public sealed record StoredOrder(
    Guid Id,
    long Number,
    decimal Total,
    string Currency,
    DateTimeOffset CreatedAt,
    OrderStatus Status
);
