using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl;

/// <summary>What an operator has set for a step; a step without a row runs as its policy says.</summary>
public sealed class StepControl
{
    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>Whether no replica may begin a run.</summary>
    public bool Paused { get; init; }

    /// <summary>Runs at a time in one replica; null leaves it to the policy.</summary>
    public int? ReplicaLimit { get; init; }

    /// <summary>Runs at a time over all replicas, divided among the living ones; null for no such limit.</summary>
    public int? TotalLimit { get; init; }

    /// <summary>
    /// Rate limits in the form of <see cref="RateLimit.ParseAll"/>, in place of the policy's; null leaves them to the
    /// policy, empty means none.
    /// </summary>
    public string? Rates { get; init; }

    /// <summary>What the policy says of runs at a time in one replica; 0 where none was written down.</summary>
    public int DefaultReplicaLimit { get; init; }

    /// <summary>How far <see cref="ReplicaLimit"/> may be raised.</summary>
    public int MostReplicaLimit { get; init; }

    /// <summary>The policy's rate limits; empty for none.</summary>
    public string DefaultRates { get; init; } = "";

    /// <summary>When it was last changed.</summary>
    public DateTimeOffset ChangedAt { get; init; }

    /// <summary>Who changed it.</summary>
    public string ChangedBy { get; init; } = "";

    /// <summary>Why, in the operator's words.</summary>
    public string Reason { get; init; } = "";
}
