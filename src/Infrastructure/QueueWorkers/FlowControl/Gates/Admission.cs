namespace QueueWorkers.FlowControl.Gates;

/// <summary>What a dependency says to a run that will call it.</summary>
internal enum Admission
{
    /// <summary>It may begin.</summary>
    Granted,

    /// <summary>The dependency is down: the message comes again later.</summary>
    Down,

    /// <summary>Another message of this process is the trial: its outcome is worth waiting for.</summary>
    OtherTrial,

    /// <summary>As many repeated runs are under way as the dependency bears.</summary>
    ManyRetries,
}
