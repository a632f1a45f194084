namespace QueueWorkers.Scheduling;

/// <summary>
/// What becomes of firings that nobody made in time, because no process was running or the database was away. Stored as
/// its number.
/// </summary>
public enum Misfire : short
{
    /// <summary>They are skipped, and counted.</summary>
    Skip = 0,

    /// <summary>They are made up for by one firing, that of the first one missed.</summary>
    Once = 1,

    /// <summary>Each is made up for.</summary>
    All = 2,
}
