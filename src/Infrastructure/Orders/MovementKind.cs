namespace Orders.Infrastructure;

/// <summary>Why stock moved. Stored as its number.</summary>
public enum MovementKind : short
{
    /// <summary>Taken for an order.</summary>
    Reservation = 0,

    /// <summary>Given back because the order was cancelled.</summary>
    Release = 1,
}
