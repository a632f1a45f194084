using QueueWorkers.Steps.Endpoints;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps;

/// <summary>
/// How a step is run. Every default is the safe one: a step written in a hurry is retried, idempotent, traced and
/// dead-lettered.
/// </summary>
/// <param name="Name">The step's name: its queue, its effect, its rows and its <c>Workers__Steps</c> value. Lower-case,
/// <c>[a-z][a-z0-9-]{1,30}</c>.</param>
public sealed record StepPolicy(string Name)
{
    /// <summary>
    /// Further runs at once, in memory. They hold a worker's slot, so keep them short. Default: none.
    /// </summary>
    public Retry Retry { get; init; } = Retry.None;

    /// <summary>
    /// Further runs later, through the outbox; nothing waits in a worker. Default: after 2, 4 and 8 seconds.
    /// </summary>
    public Redelivery Redelivery { get; init; } = Redelivery.Exponential(3, TimeSpan.FromSeconds(2));

    /// <summary>
    /// How long one run may take before its token is cancelled and the attempt counts as failed. Default: 30 seconds.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Runs at a time in one replica. Default: 5. A step that only writes rows should allow 300, so that commits can be
    /// shared.
    /// </summary>
    public int Concurrency { get; init; } = 5;

    /// <summary>
    /// How far an operator may raise <see cref="Concurrency"/> without a restart. Default: twice as far, where that is
    /// below 100; else not at all.
    /// </summary>
    public int MaxConcurrency
    {
        get =>
            field > 0 ? field
            : Concurrency < 50 ? Concurrency * 2
            : Concurrency;
        init;
    }

    /// <summary>
    /// How many runs may begin in a span of time, over all replicas, and for each value of a key that messages carry.
    /// All of them hold. Default: no limit.
    /// </summary>
    public IReadOnlyList<RateLimit> Rates { get; init; } = [];

    /// <summary>
    /// What the step calls and cannot do without; while it is down, messages wait and no attempt is counted. Default:
    /// nothing.
    /// </summary>
    public Dependency? DependsOn { get; init; }

    /// <summary>
    /// Faults that no repetition can fix: the message is dead-lettered at once. <see cref="PermanentFaultException"/>
    /// always is.
    /// </summary>
    public IReadOnlyList<Type> PermanentFaults { get; init; } = [];

    /// <summary>
    /// How long after it was sent (or due) a message may wait for its first attempt; what waits longer is not begun and
    /// recorded as Expired. Default: null, for ever.
    /// A message may bring a time of its own, see
    /// <see cref="StepRun.Publish{T}(T, DateTimeOffset?, DateTimeOffset?)"/>.
    /// </summary>
    public TimeSpan? StartWithin { get; init; }

    /// <summary>
    /// Whether a subject is complete only when this step is done for it. False for a step whose messages are about
    /// something else, such as a notification: subjects neither wait for it nor show it. Default: true.
    /// </summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>
    /// Message types on which the step undoes what it did: they run because the subject was cancelled, as an effect of
    /// their own named <c>&lt;step&gt;-undo</c>.
    /// </summary>
    public IReadOnlyList<Type> Compensations { get; init; } = [];

    /// <summary>
    /// What the step's own database role needs beyond the framework's tables, such as <c>SELECT ON parcels</c>.
    /// </summary>
    public IReadOnlyList<string> Grants { get; init; } = [];

    /// <summary>Attempts until a message that always fails transiently is dead-lettered.</summary>
    public int PlannedAttempts => (Retry.Count + 1) * (Redelivery.Delays.Count + 1);

    /// <summary>The part of the policy that the controls work with.</summary>
    public GatedStep ToGatedStep() => new(Name, Concurrency, MaxConcurrency, DependsOn, Rates);
}
