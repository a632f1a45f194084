using QueueWorkers.Outbox.Ids;

namespace QueueWorkers.Scheduling;

/// <summary>One firing of a schedule, as its work sees it.</summary>
/// <param name="Schedule">The schedule.</param>
/// <param name="DueAt">The moment it was due, which may be a while ago: work on "the last day" counts from here and not
/// from the clock.</param>
/// <param name="Attempt">1, or more when a process died at this firing before.</param>
public sealed record Firing(string Schedule, DateTimeOffset DueAt, int Attempt = 1)
{
    /// <summary>
    /// The firing's id: the same for whoever computes it, so that a message about the firing is one message however
    /// often it is made.
    /// </summary>
    public Guid Id { get; } = DerivedId.Of(DueAt, Schedule);
}
