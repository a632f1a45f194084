namespace Orders.OutsideWorld.Warehouse;

/// <summary>One entry of the warehouse's ledger.</summary>
public sealed record WarehouseCall
{
    /// <summary>Its place in the ledger, counted from 0.</summary>
    public required int Number { get; init; }

    /// <summary>The order the call was about; null when the call did not say.</summary>
    public string? OrderId { get; init; }

    /// <summary>The call's Idempotency-Key; null when it had none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>When the call had arrived completely.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>
    /// The HTTP status given; 0 when the connection was cut instead. An accepted call whose answer was lost on purpose
    /// has its 200 here.
    /// </summary>
    public required int Answer { get; init; }

    /// <summary>
    /// How often the accepted call came again with the same key; each time it was answered as before and had no effect.
    /// </summary>
    public int Repeats { get; init; }

    /// <summary>Whether the call took an order back instead of asking for it.</summary>
    [System.Text.Json.Serialization.JsonIgnore(
        Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault
    )]
    public bool IsRecall { get; init; }

    /// <summary>Whether the warehouse has taken the call, which is its effect.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsAccepted => Answer is >= 200 and < 300;
}
