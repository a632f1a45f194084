namespace QueueWorkers.Bulk;

/// <summary>
/// One thing that an operator does to many targets: rehearsed, confirmed with the number, then worked off. The row and
/// its items are the whole state: any dashboard goes on where the last one stopped.
/// </summary>
public sealed class BulkAction
{
    /// <summary>Its id.</summary>
    public Guid Id { get; init; }

    /// <summary>What is done, see <see cref="IBulkKind.Name"/>.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The step that it is about; null when the kind needs none.</summary>
    public string? Step { get; init; }

    /// <summary>The filter that chose the targets, as the kind writes it (JSON).</summary>
    public string Filter { get; init; } = "{}";

    /// <summary>At most so many targets a second.</summary>
    public int PerSecond { get; init; }

    /// <summary>How far it is.</summary>
    public BulkState State { get; init; }

    /// <summary>How many targets the rehearsal chose.</summary>
    public int Total { get; init; }

    /// <summary>Targets that were acted on.</summary>
    public int Done { get; init; }

    /// <summary>Targets that were left alone, because they did not fit any more.</summary>
    public int Skipped { get; init; }

    /// <summary>Targets with which it could not be done.</summary>
    public int Refused { get; init; }

    /// <summary>What the rehearsal found: a <see cref="BulkRehearsal"/> (JSON).</summary>
    public string Rehearsal { get; init; } = "{}";

    /// <summary>Who rehearsed it.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>When it was rehearsed.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who confirmed it; null before.</summary>
    public string? ConfirmedBy { get; init; }

    /// <summary>When it was confirmed; null before.</summary>
    public DateTimeOffset? ConfirmedAt { get; init; }

    /// <summary>Why, in the words of the operator who confirmed it; null before.</summary>
    public string? Reason { get; init; }

    /// <summary>Why it is paused or was ended early; null otherwise.</summary>
    public string? Note { get; init; }

    /// <summary>The moment up to which its rate is used up.</summary>
    public DateTimeOffset MovedAt { get; init; }

    /// <summary>When its last target was settled, or it was ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The client's key of the request that rehearsed it; null when it had none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The keyed hash of that request; null when it had no key.</summary>
    public byte[]? RequestHash { get; init; }

    /// <summary>Targets that are not settled yet.</summary>
    public int Left => Total - Done - Skipped - Refused;

    /// <summary>What the rehearsal found.</summary>
    public BulkRehearsal Found => BulkRehearsal.Parse(Rehearsal);
}

/// <summary>One target of a bulk action.</summary>
public sealed class BulkItem
{
    /// <summary>The bulk action.</summary>
    public Guid BulkActionId { get; init; }

    /// <summary>The target: an order, a failure.</summary>
    public Guid TargetId { get; init; }

    /// <summary>What came of it.</summary>
    public BulkItemState State { get; init; }

    /// <summary>When it was settled; null before.</summary>
    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>Why it was skipped or refused.</summary>
    public string? Note { get; init; }
}

/// <summary>How far a bulk action is. Stored as its number.</summary>
public enum BulkState : short
{
    /// <summary>Its targets are chosen; nothing has been changed.</summary>
    Rehearsed = 1,

    /// <summary>Goes on by itself.</summary>
    Running = 2,

    /// <summary>Held by an operator; goes on from where it stands when resumed.</summary>
    Paused = 3,

    /// <summary>Every target is settled.</summary>
    Finished = 4,

    /// <summary>Ended before every target was settled; the others were left alone.</summary>
    Ended = 5,
}

/// <summary>What came of one target. Stored as its number.</summary>
public enum BulkItemState : short
{
    /// <summary>Not yet its turn.</summary>
    Waiting = 1,

    /// <summary>Acted on.</summary>
    Done = 2,

    /// <summary>Left alone: it does not fit any more, or the bulk action was ended before its turn.</summary>
    Skipped = 3,

    /// <summary>It could not be done.</summary>
    Refused = 4,
}
