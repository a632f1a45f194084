namespace QueueWorkers.Scheduling.Firings;

/// <summary>Where a firing stands. Stored as its number.</summary>
public enum FiringStatus : short
{
    /// <summary>Due; no process has begun it.</summary>
    Waiting = 0,

    /// <summary>A process is at it and holds its lease.</summary>
    Running = 1,

    /// <summary>Done: the job returned, or the message is committed.</summary>
    Done = 2,

    /// <summary>The job failed, or its process died as often as is allowed.</summary>
    Failed = 3,
}
