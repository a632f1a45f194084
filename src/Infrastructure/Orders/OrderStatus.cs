namespace Orders.Infrastructure;

/// <summary>
/// Where an order stands, derived from its steps by the database (a generated column). Stored as its number; shown by
/// its name.
/// </summary>
public enum OrderStatus : short
{
    /// <summary>Stored; no step is done yet.</summary>
    Accepted = 0,

    /// <summary>At least one step is done.</summary>
    Processing = 1,

    /// <summary>Every step is done.</summary>
    Completed = 2,

    /// <summary>Refused for a business reason, such as missing stock.</summary>
    Rejected = 3,

    /// <summary>Cancelled.</summary>
    Cancelled = 4,

    /// <summary>A step is dead-lettered: an operator has to look.</summary>
    NeedsAttention = 5,
}
