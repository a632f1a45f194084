namespace QueueWorkers.Steps;

/// <summary>What is known of one step of one subject: the row that the API and the dashboard show.</summary>
public sealed class StepRecord
{
    /// <summary>What the step works on.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public StepStatus Status { get; init; }

    /// <summary>Attempts made so far, the successful one included.</summary>
    public int Attempts { get; init; }

    /// <summary>
    /// When its message was sent, at the first time: the time in queue begins. Null for a foreign message that does
    /// not say so, and while no attempt has ended.
    /// </summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>When the first attempt began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>
    /// When the last attempt began; null while no attempt has ended and none has claimed an effect. To
    /// <see cref="FinishedAt"/> it is the run time of one attempt, without what was waited for between attempts.
    /// </summary>
    public DateTimeOffset? AttemptStartedAt { get; init; }

    /// <summary>When it ended, well or not; null while it is going on.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When the next attempt is due; null when none is planned.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>The last attempt's fault, type and message; null when none failed.</summary>
    public string? LastFault { get; init; }

    /// <summary>
    /// Where the step's own effect stands while another message of the step (an apology, an undoing) decides on
    /// <see cref="Status"/>; null when the status is the step's own.
    /// </summary>
    public StepStatus? OwnStatus { get; init; }
}
