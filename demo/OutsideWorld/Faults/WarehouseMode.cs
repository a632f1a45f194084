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

    /// <summary>
    /// 409 as in the IETF's draft on the Idempotency-Key: another request with this key is in progress. The call is not
    /// accepted.
    /// </summary>
    InProgress,

    /// <summary>409 because of the order itself, which no repetition changes; the call is not accepted.</summary>
    Conflict,

    /// <summary>429 with the delay, in seconds, in Retry-After; the call is not accepted.</summary>
    RetryAfter,

    /// <summary>503 with now and the delay, as an HTTP date, in Retry-After; the call is not accepted.</summary>
    RetryDate,

    /// <summary>410; the call is not accepted.</summary>
    Gone,

    /// <summary>308 to another host; the call is not accepted.</summary>
    Moved,

    /// <summary>422 with emoji, of which the last one is half; the call is not accepted.</summary>
    HalfEmoji,

    /// <summary>422 with a body that comes a byte at a time and never ends; the call is not accepted.</summary>
    Endless,

    /// <summary>422 with a body of 10 MB; the call is not accepted.</summary>
    Huge,

    /// <summary>422 with a body in ISO 8859-1; the call is not accepted.</summary>
    Latin1,
}
