namespace QueueWorkers.Scheduling;

/// <summary>
/// Work that a schedule runs in a worker process. Never two at a time of one schedule; but a process may die in the
/// middle or right before the outcome is written, and the firing is then run again: a job has to be safe to repeat.
/// Work that must happen once for each firing is a message instead (<see cref="ScheduleCatalogue.Publish{TMessage}"/>),
/// which is committed with the firing and ends in a step with all its guards.
/// </summary>
public interface IScheduledJob
{
    /// <summary>Works.</summary>
    /// <param name="firing">What is due.</param>
    /// <param name="cancellationToken">The process stops, or another one has taken the firing over: stop at the next
    /// safe place.</param>
    /// <returns>A sentence for the operator: what was done, in figures.</returns>
    Task<string> RunAsync(Firing firing, CancellationToken cancellationToken);
}
