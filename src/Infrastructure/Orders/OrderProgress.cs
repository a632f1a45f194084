namespace Orders.Infrastructure;

/// <summary>
/// The part of an order that changes, kept apart and narrow so that the four updates an order gets rewrite some 80
/// bytes and not its address and notes.
/// The masks hold one bit per step (<see cref="QueueWorkers.Steps.CatalogueEntry.Bit"/>).
/// </summary>
public sealed class OrderProgress
{
    /// <summary>The order.</summary>
    public Guid OrderId { get; init; }

    /// <summary>Steps the order needs.</summary>
    public int Required { get; init; }

    /// <summary>Steps that are done.</summary>
    public int Done { get; init; }

    /// <summary>
    /// Steps that are dead-lettered, or of which another message is (an apology): then the bit stays when the step
    /// itself is done.
    /// </summary>
    public int Failed { get; init; }

    /// <summary>When the order was refused; null if it was not.</summary>
    public DateTimeOffset? RejectedAt { get; init; }

    /// <summary>When the order was cancelled; null if it was not.</summary>
    public DateTimeOffset? CancelledAt { get; init; }

    /// <summary>When the last step was done; null before.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Derived by the database from the members above.</summary>
    public OrderStatus Status { get; private set; }
}
