namespace QueueWorkers.Steps;

/// <summary>
/// One piece of background work: an ordinary MassTransit consumer that carries its policy as data. What the framework
/// adds without being asked:
/// retry and redelivery, one effect per subject, outgoing messages in the same transaction, a trace, a time limit, a
/// place among the dead-lettered failures.
/// </summary>
public interface IStep
{
    /// <summary>The step's name and how it is to be run.</summary>
    static abstract StepPolicy Policy { get; }
}
