namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// A message whose process has died, or lost its connection, with it in its hands. Written only for such messages,
/// before each further run. Gone when a run has ended; kept, until it is purged, when the message was dead-lettered.
/// </summary>
public sealed class Suspect
{
    /// <summary>The original message id.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>How often the message was redriven. A later generation begins anew.</summary>
    public int Generation { get; init; }

    /// <summary>Lost deliveries of the message and of its copies.</summary>
    public int Lost { get; init; }

    /// <summary>Processes that died while they ran nothing but this message.</summary>
    public int Deaths { get; init; }

    /// <summary>
    /// True from before a run until after it: found true by the next delivery, it says that the process died in
    /// between.
    /// </summary>
    public bool Running { get; init; }

    /// <summary>The process that ran it last.</summary>
    public string Host { get; init; } = "";

    /// <summary>When it was moved to <c>_error</c> as a killer: its copies are dropped. Null before.</summary>
    public DateTimeOffset? DeadLetteredAt { get; init; }

    /// <summary>When the row was last written.</summary>
    public DateTimeOffset At { get; init; }
}
