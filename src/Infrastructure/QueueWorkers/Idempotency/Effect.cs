namespace QueueWorkers.Idempotency;

/// <summary>
/// What the world sees of a step, once per subject and for ever: the permanent guard behind the purged idempotency
/// rows.
/// </summary>
public sealed class Effect
{
    /// <summary>What the effect belongs to.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The effect's name, unique per subject: by default the step's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The message whose run made it.</summary>
    public Guid MessageId { get; init; }

    /// <summary>The step that made it.</summary>
    public string Step { get; init; } = "";

    /// <summary>Where the effect stands.</summary>
    public EffectState State { get; init; }

    /// <summary>
    /// While <see cref="EffectState.Pending"/>: until when the run that began it may still be at work. Null otherwise.
    /// </summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>When the state was last written.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>
    /// What to look for in the outside world, such as a mail's Message-ID; null when there is nothing.
    /// </summary>
    public string? Reference { get; init; }
}
