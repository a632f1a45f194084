namespace QueueWorkers.Monitoring;

/// <summary>Messages of one step that wait in the outbox for one reason: for a redelivery, or deferred.</summary>
/// <param name="Step">The step.</param>
/// <param name="IsRequired">Whether subjects wait for the step.</param>
/// <param name="Cause">Why: <see cref="Redelivery"/> after a failed attempt, or the cause of a deferral as in the metric
/// of deferrals.</param>
/// <param name="Count">How many; up to <see cref="WaitingReader.MostCounted"/>, those that are due soonest.</param>
/// <param name="Since">Since when the oldest of them waits, whatever was tried meanwhile; null when none says
/// so.</param>
/// <param name="NextAt">When the next of them is due.</param>
/// <param name="LatestAt">When the last of those that were counted is due.</param>
/// <param name="LastFault">What one of those that are due soonest says of its last attempt, or why it was deferred; null
/// when none says anything.</param>
public sealed record WaitingMessages(
    string Step,
    bool IsRequired,
    string Cause,
    long Count,
    DateTimeOffset? Since,
    DateTimeOffset NextAt,
    DateTimeOffset LatestAt,
    string? LastFault
)
{
    /// <summary>The cause of messages whose last attempt failed: they wait for their next one.</summary>
    public const string Redelivery = "redelivery";

    /// <summary>
    /// Whether the count was cut off at <see cref="WaitingReader.MostCounted"/>. Neither the true number nor the true
    /// age is known then.
    /// </summary>
    public bool IsLimited => Count >= WaitingReader.MostCounted;
}
