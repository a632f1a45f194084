namespace QueueWorkers.Erasing;

/// <summary>What an erasure would touch.</summary>
/// <param name="Person">The person's hash, as the audit record has it.</param>
/// <param name="Main">The number to confirm.</param>
/// <param name="Counts">How many rows of each kind.</param>
/// <param name="Obstacles">Why it cannot begin now; empty when it can.</param>
/// <param name="ErasedAt">When the person's data were erased before; null for never.</param>
public sealed record ErasurePlan(
    string Person,
    long Main,
    IReadOnlyDictionary<string, long> Counts,
    IReadOnlyList<string> Obstacles,
    DateTimeOffset? ErasedAt
);

/// <summary>An erasure, or why there is none.</summary>
/// <param name="Erasure">The erasure; null when it was refused.</param>
/// <param name="Refusal">Why not; null when it began.</param>
public sealed record ErasureAnswer(Erasure? Erasure, ErasureRefusal? Refusal);

/// <summary>Why an erasure did not begin.</summary>
/// <param name="Code">For programs.</param>
/// <param name="Detail">For people.</param>
public sealed record ErasureRefusal(string Code, string Detail);

/// <summary>A line of the list of erasures that is kept beside the backups.</summary>
/// <param name="Person">The person's hash.</param>
/// <param name="RequestedAt">When the erasure was asked for.</param>
public sealed record ErasedPerson(string Person, DateTimeOffset RequestedAt);
