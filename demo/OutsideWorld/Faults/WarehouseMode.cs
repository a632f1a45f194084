namespace Orders.OutsideWorld.Faults;

/// <summary>What the warehouse does to the calls it hits. In JSON in lower case.</summary>
public enum WarehouseMode
{
    /// <summary>Every call is accepted at once.</summary>
    Ok,

    /// <summary>The call is recorded as accepted, but its answer comes only after the delay.</summary>
    Slow,

    /// <summary>The connection is cut without an answer; the call is not accepted.</summary>
    Down,

    /// <summary>503; the call is not accepted.</summary>
    Error,

    /// <summary>422; the call is not accepted.</summary>
    Reject,

    /// <summary>
    /// The call is recorded as accepted, then the connection is cut instead of the answer: the caller cannot know.
    /// </summary>
    Vanish,
}
