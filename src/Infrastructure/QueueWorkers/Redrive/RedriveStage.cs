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

/// <summary>What came of one message of a redrive. Stored as its number.</summary>
public enum RedriveItemState : short
{
    /// <summary>Not sent yet.</summary>
    Waiting = 1,

    /// <summary>Sent; not known yet what came of it.</summary>
    Sent = 2,

    /// <summary>Its work is done.</summary>
    Done = 3,

    /// <summary>It failed again and is dead-lettered again.</summary>
    FailedAgain = 4,

    /// <summary>Not sent, for the reason in its note: it was done already, its subject is cancelled, its payload does not fit, the redrive was cancelled.</summary>
    Skipped = 5,
}
