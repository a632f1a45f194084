namespace QueueWorkers.Redrive;

/// <summary>How far a redrive is; it only moves forward. Stored as its number.</summary>
public enum RedriveStage : short
{
    /// <summary>Its messages are chosen and nobody else may redrive them; nothing has been sent.</summary>
    DryRun = 1,

    /// <summary>The first few are sent; the others wait for what comes of them.</summary>
    Canary = 2,

    /// <summary>The others are sent at a set rate.</summary>
    Ramp = 3,

    /// <summary>Of every message it is known what came of it.</summary>
    Done = 4,
}
