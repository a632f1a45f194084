namespace QueueWorkers.Monitoring.Alerts;

/// <summary>A rule that holds, or held, for something.</summary>
public sealed class Alert
{
    /// <summary>The alert; in what is sent too, so that a receiver recognises a repetition.</summary>
    public Guid Id { get; init; }

    /// <summary>The rule.</summary>
    public string Rule { get; init; } = "";

    /// <summary>For which queue or step; empty for the whole system.</summary>
    public string Subject { get; init; } = "";

    /// <summary>What is the matter, in a sentence.</summary>
    public string Says { get; init; } = "";

    /// <summary>The dashboard's page that explains it.</summary>
    public string Link { get; init; } = "";

    /// <summary>Since when it is so.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>When it had been so for the rule's hold time; null while it may still pass.</summary>
    public DateTimeOffset? FiredAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }

    /// <summary>When the receivers had it.</summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>When the receivers knew that it was over.</summary>
    public DateTimeOffset? ResolutionSentAt { get; init; }

    /// <summary>Why sending failed last.</summary>
    public string? SendError { get; init; }

    /// <summary>Who looks after it.</summary>
    public string? AcknowledgedBy { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset? AcknowledgedAt { get; init; }
}
