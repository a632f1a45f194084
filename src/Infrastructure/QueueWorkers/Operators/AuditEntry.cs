namespace QueueWorkers.Operators;

/// <summary>Something that an operator did, or tried to do.</summary>
public sealed class AuditEntry
{
    /// <summary>The record's number, without gaps; given by the database.</summary>
    public long Id { get; init; }

    /// <summary>When; given by the database.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The operator's name.</summary>
    public string Who { get; init; } = "";

    /// <summary>The role the operator had then.</summary>
    public string Role { get; init; } = "";

    /// <summary>What was done, such as <c>redrive</c>, <c>archive</c>, <c>pause</c>.</summary>
    public string Action { get; init; } = "";

    /// <summary>To what, such as <c>failure 4711</c> or <c>step email</c>; null when the filter says it.</summary>
    public string? Target { get; init; }

    /// <summary>Which ones, as the JSON text of the filter; null when it was no mass action.</summary>
    public string? Filter { get; init; }

    /// <summary>How many it concerned; null when that has no meaning.</summary>
    public long? Count { get; init; }

    /// <summary>Why, in the operator's words.</summary>
    public string? Reason { get; init; }

    /// <summary>What came of it, such as <c>done</c>, <c>403</c>, <c>redrive 0192…</c>.</summary>
    public string Result { get; init; } = "done";

    /// <summary>The hash of the record before.</summary>
    public byte[] PreviousHash { get; init; } = [];

    /// <summary>SHA-256 of the record and the hash before; given by the database.</summary>
    public byte[] Hash { get; init; } = [];
}
