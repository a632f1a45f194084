namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// A message whose process has died more than once with it in its hands. Written only for such messages, before each
/// further run; gone when a run has ended.
/// </summary>
public sealed class Suspect
{
    /// <summary>The original message id.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>Processes that died while they ran nothing but this message.</summary>
    public int Deaths { get; init; }

    /// <summary>
    /// True from before a run until after it: found true by the next delivery, it says that the process died in
    /// between.
    /// </summary>
    public bool Running { get; init; }

    /// <summary>The process that ran it last.</summary>
    public string Host { get; init; } = "";

    /// <summary>When the row was last written.</summary>
    public DateTimeOffset At { get; init; }
}
